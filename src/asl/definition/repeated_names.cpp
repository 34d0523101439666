// SPDX-License-Identifier: Apache-2.0
#include "asl/definition/repeated_names.hpp"

#include <set>

#include "base/json/json.hpp"

namespace andon::asl {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<RepeatedName> scan() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        take_string();
        continue;
      }
      if (c == '{' || c == '[') open(c == '{');
      if ((c == '}' || c == ']') && !frames_.empty()) frames_.pop_back();
      if (c == ',' && !frames_.empty()) ++frames_.back().index;
      ++at_;
    }
    return std::move(found_);
  }

 private:
  struct Frame {
    bool is_object = false;
    bool is_states = false;
    std::set<std::string> names;
    std::string key;
    std::size_t index = 0;
  };

  void open(bool is_object) {
    Frame frame;
    frame.is_object = is_object;
    if (is_object && !frames_.empty()) {
      const Frame& outer = frames_.back();
      frame.is_states = outer.is_object && !outer.is_states && outer.key == "States";
    }
    frames_.push_back(std::move(frame));
  }

  // A string; as a key where a colon follows.
  void take_string() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2U : 1U;
    ++at_;
    const std::string_view quoted = text_.substr(begin, at_ - begin);
    const std::size_t next = text_.find_first_not_of(" \t\r\n", at_);
    if (frames_.empty() || next == std::string_view::npos || text_[next] != ':') return;
    Frame& frame = frames_.back();
    frame.key = base::parse_json(quoted, "a name").as_string();
    if (frame.is_states && !frame.names.insert(frame.key).second) {
      found_.push_back({frame.key, location()});
    }
  }

  [[nodiscard]] std::string location() const {
    std::string text;
    for (const Frame& frame : frames_) {
      text += frame.is_object ? "/" + frame.key : "[" + std::to_string(frame.index) + "]";
    }
    return text;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Frame> frames_;
  std::vector<RepeatedName> found_;
};

}  // namespace

std::vector<RepeatedName> repeated_state_names(std::string_view definition) {
  return Scanner(definition).scan();
}

}  // namespace andon::asl
