// SPDX-License-Identifier: Apache-2.0
#include "wire/smtp/smtp_client.hpp"

#include <array>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "wire/curl/curl_handle.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;

constexpr long kDeadlineMs = 30'000;
constexpr long kConnectMs = 10'000;
constexpr long kRefusedForGood = 500;

struct Source {
  std::string text;
  std::size_t at = 0;
};

std::size_t give(char* to, std::size_t size, std::size_t count, void* data) {
  auto& source = *static_cast<Source*>(data);
  const std::size_t length = source.text.copy(to, size * count, source.at);
  source.at += length;
  return length;
}

Error error_of(CURLcode code, long answer, const std::string& url, const char* detail) {
  std::string why = *detail != '\0' ? detail : curl_easy_strerror(code);
  if (answer >= 400) why += " (it answered " + std::to_string(answer) + ")";
  const bool is_final = answer >= kRefusedForGood || code == CURLE_LOGIN_DENIED ||
                        code == CURLE_USE_SSL_FAILED || code == CURLE_PEER_FAILED_VERIFICATION;
  return {is_final ? ErrorCode::permission_denied : ErrorCode::unavailable,
          "the mail server " + url + " has not taken it: " + why};
}

}  // namespace

void check_smtp_url(const std::string& url) {
  const auto refuse = [&] {
    throw Error(ErrorCode::invalid_argument,
                "'" + url.substr(0, 200) + "' must be smtp://HOST[:PORT] or smtps://HOST[:PORT]");
  };
  const std::size_t start = url.find("://");
  if (start == std::string::npos) refuse();
  const std::string scheme = url.substr(0, start);
  std::string host = url.substr(start + 3);
  if (scheme != "smtp" && scheme != "smtps") refuse();
  const std::size_t colon = host.rfind(':');
  if (colon != std::string::npos && !host.ends_with(']')) {
    if (!base::parse_integer<std::uint16_t>(host.substr(colon + 1), 1)) refuse();
    host.resize(colon);
  }
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) {
    host = host.substr(1, host.size() - 2);
    if (!base::is_name_of(host, ":.")) refuse();
    return;
  }
  if (!base::is_name_of(host, ".-")) refuse();
}

void send_mail(const SmtpOptions& options, const Mail& mail, base::Timestamp now) {
  if (!is_mail_address(mail.from) || !is_mail_address(mail.to)) {
    throw Error(ErrorCode::invalid_argument, "a mail goes from one address to another one");
  }
  const CurlHandle easy(curl_easy_init());
  if (!easy) throw Error(ErrorCode::resource_exhausted, "out of memory");
  CURL* const handle = easy.get();
  std::array<char, CURL_ERROR_SIZE> detail{};
  const std::string from = "<" + mail.from + ">";
  const std::string to = "<" + mail.to + ">";
  const CurlList recipients(curl_slist_append(nullptr, to.c_str()));
  Source source{.text = to_mail_text(mail, now)};
  set_option(handle, CURLOPT_NOSIGNAL, 1L);
  set_option(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set_option(handle, CURLOPT_URL, options.url.c_str());
  set_option(handle, CURLOPT_NOPROXY, "*");
  set_option(handle, CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
  set_option(handle, CURLOPT_TIMEOUT_MS, kDeadlineMs);
  set_option(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  const auto use = options.tls == SmtpTls::required ? CURLUSESSL_ALL : CURLUSESSL_NONE;
  set_option(handle, CURLOPT_USE_SSL, static_cast<long>(use));
  if (!options.ca_file.empty()) set_option(handle, CURLOPT_CAINFO, options.ca_file.c_str());
  if (!options.user.empty()) {
    set_option(handle, CURLOPT_USERNAME, options.user.c_str());
    set_option(handle, CURLOPT_PASSWORD, options.password.c_str());
  }
  set_option(handle, CURLOPT_MAIL_FROM, from.c_str());
  set_option(handle, CURLOPT_MAIL_RCPT, recipients.get());
  set_option(handle, CURLOPT_UPLOAD, 1L);
  set_option(handle, CURLOPT_READFUNCTION, give);
  set_option(handle, CURLOPT_READDATA, &source);
  set_option(handle, CURLOPT_ERRORBUFFER, detail.data());
  const CURLcode code = curl_easy_perform(handle);
  if (code == CURLE_OK) return;
  long answer = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer);
  throw error_of(code, answer, options.url, detail.data());
}

}  // namespace andon::wire
