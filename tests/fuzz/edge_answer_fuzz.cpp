// SPDX-License-Identifier: Apache-2.0
// The server's answers to a question for component candidates and for a secret, which secrets a
// deployment wants, and what is kept of it.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "edge/cloud/data_plane.hpp"
#include "edge/secrets/secret_settings.hpp"
#include "edge/secrets/secret_source.hpp"
#include "edge/state/installed_set.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  try {
    static_cast<void>(andon::edge::parse_candidate(text, "com.example.Hello"));
  } catch (const andon::base::Error&) {
  }
  try {
    static_cast<void>(
        andon::edge::parse_installed_set(andon::base::parse_json(text, "installed set")));
  } catch (const andon::base::Error&) {
  }
  try {
    static_cast<void>(andon::edge::read_secret_answer(text));
  } catch (const andon::base::Error&) {
  }
  try {
    const auto value = andon::base::parse_json(text, "configuration");
    if (value.is_object()) {
      static_cast<void>(andon::edge::read_secret_settings(value.get_object()));
    }
  } catch (const andon::base::Error&) {
  }
  return 0;
}
