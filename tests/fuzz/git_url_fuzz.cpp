// SPDX-License-Identifier: Apache-2.0
// The URL of a repository, the name of a ref, and a secret that has a login in it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "api/git/git_places.hpp"
#include "base/error/error.hpp"
#include "wire/git/git.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (andon::wire::is_git_name(text) && text.front() == '-') std::abort();
  try {
    const auto url = andon::wire::read_git_url(text);
    // Never an option, and of no other protocol.
    if (url.text.front() == '-') std::abort();
    if (!url.web && !url.text.starts_with("file:///")) std::abort();
  } catch (const andon::base::Error&) {
  }
  try {
    (void)andon::api::git_login(text);
  } catch (const andon::base::Error&) {
  }
  return 0;
}
