// SPDX-License-Identifier: Apache-2.0
// What is mailed: an address, a line end, a subject, a line end, the text. The head of a mail has
// the same fields whatever is in it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "base/text/split.hpp"
#include "wire/smtp/mail_message.hpp"
#include "wire/smtp/smtp_client.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  constexpr std::size_t kFields = 9;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string address(base::take_part(text, '\n'));
  const std::string subject(base::take_part(text, '\n'));
  try {
    wire::check_smtp_url(address);
  } catch (const base::Error&) {  // it is none
  }
  const bool is_address = wire::is_mail_address(address);
  const std::string mail = wire::to_mail_text({.from = "andon@plant.example",
                                               .to = is_address ? address : "eva@plant.example",
                                               .subject = subject,
                                               .text = std::string(text),
                                               .id = "1"},
                                              base::from_epoch_millis(0));
  const std::string head = mail.substr(0, mail.find("\r\n\r\n"));
  std::size_t fields = 1;
  for (std::size_t at = head.find('\n'); at != std::string::npos; at = head.find('\n', at + 1)) {
    if (head[at - 1] != '\r') std::abort();
    if (head[at + 1] != ' ') ++fields;
  }
  if (fields != kFields) std::abort();
  return 0;
}
