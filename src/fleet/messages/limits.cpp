// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/limits.hpp"

#include <utility>

#include "base/json/json_reader.hpp"
#include "base/text/utf8.hpp"

namespace andon::fleet {

std::string cut_text(std::string text, std::size_t bytes) {
  text.resize(base::utf8_prefix(text, bytes).size());
  return text;
}

json::array to_array(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

std::vector<std::string> read_texts(const base::JsonReader& reader, std::string_view key,
                                    std::size_t bytes) {
  constexpr std::size_t kMostTexts = 100;
  std::vector<std::string> texts = reader.strings(key, kMostTexts);
  for (std::string& text : texts) text = cut_text(std::move(text), bytes);
  return texts;
}

}  // namespace andon::fleet
