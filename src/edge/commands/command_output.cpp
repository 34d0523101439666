// SPDX-License-Identifier: Apache-2.0
#include "edge/commands/command_output.hpp"

#include <chrono>
#include <utility>

#include "base/text/utf8.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::milliseconds kGlance{100};

// How many bytes at the end are the beginning of a character whose rest may still come.
std::size_t begun_character(std::string_view text) {
  constexpr std::size_t kLongest = 3;  // without its last byte
  for (std::size_t back = 1; back <= std::min(kLongest, text.size()); ++back) {
    const auto lead = static_cast<unsigned char>(text[text.size() - back]);
    if (lead < 0x80) return 0;
    if (lead < 0xC0) continue;
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    return back < length ? back : 0;
  }
  return 0;
}

}  // namespace

void CommandOutput::text(std::string_view bytes, bool is_error_output) {
  std::string& begun = begun_[is_error_output ? 1 : 0];
  std::string all = std::exchange(begun, {});
  all += bytes;
  const std::size_t rest = begun_character(all);
  begun = all.substr(all.size() - rest);
  all.resize(all.size() - rest);
  // What is replaced may grow.
  const std::string valid = base::to_valid_utf8(all);
  std::string_view left = valid;
  while (!left.empty()) {
    const std::string_view piece = base::utf8_prefix(left, fleet::kMostAnswerBytes);
    put(fleet::CommandText{std::string(piece), is_error_output});
    left.remove_prefix(piece.size());
  }
}

void CommandOutput::flush() {
  for (std::string& begun : begun_) {
    if (begun.empty()) continue;
    const std::string valid = base::to_valid_utf8(std::exchange(begun, {}));
    put(fleet::CommandText{valid, &begun == &begun_[1]});
  }
}

void CommandOutput::row(json::object row) {
  put(fleet::CommandRow{std::move(row)});
}

void CommandOutput::data(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, fleet::kMostAnswerBytes);
    put(fleet::CommandData{std::string(piece)});
    bytes.remove_prefix(piece.size());
  }
}

void CommandOutput::progress(std::uint64_t bytes, std::uint64_t of_bytes, std::string text) {
  put(fleet::CommandProgress{bytes, of_bytes, std::move(text)});
}

void CommandOutput::put(fleet::CommandContent content) {
  {
    std::unique_lock lock(mutex_);
    while (held_.size() >= kMostHeld) {
      cancellation_.throw_if_cancelled();
      taken_.wait_for(lock, kGlance);
    }
    held_.push_back(std::move(content));
  }
  cancellation_.throw_if_cancelled();
  on_more_();
}

std::optional<fleet::CommandContent> CommandOutput::take() {
  std::optional<fleet::CommandContent> first;
  {
    const std::lock_guard lock(mutex_);
    if (held_.empty()) return first;
    first = std::move(held_.front());
    held_.pop_front();
  }
  taken_.notify_one();
  return first;
}

}  // namespace andon::edge
