// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/server/stream_frame.hpp"

#include <algorithm>

namespace andon::edge {
namespace {

constexpr std::size_t kHeaderBytes = 5;
constexpr std::size_t kLengthBytes = 4;
constexpr std::uint32_t kLeastLength = 2;
constexpr std::uint32_t kMostLength = 1U << 30U;
// Enough for the request's id, which stands first.
constexpr std::size_t kKeptOfTooLarge = 512;
constexpr std::size_t kKeptCapacity = 64U << 10U;

std::uint32_t length_at(std::string_view bytes) {
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length = (length << 8U) | static_cast<unsigned char>(bytes[i]);
  }
  return length;
}

}  // namespace

void StreamFrameReader::feed(std::string_view bytes) {
  if (is_passing_) {
    // Only the beginning is of interest.
    const std::size_t kept = buffer_.size();
    const auto passed = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    const std::string_view mine = bytes.substr(0, passed);
    if (kept < kKeptOfTooLarge) buffer_ += mine.substr(0, kKeptOfTooLarge - kept);
    left_ -= passed;
    rest_.append(bytes.substr(passed));
    return;
  }
  compact();
  buffer_ += bytes;
}

void StreamFrameReader::compact() {
  if (at_ == 0) return;
  if (at_ == buffer_.size()) {
    buffer_.clear();
    if (buffer_.capacity() > kKeptCapacity) std::string().swap(buffer_);
  } else {
    buffer_.erase(0, at_);
  }
  at_ = 0;
}

void StreamFrameReader::give_back() {
  budget_->bytes_left += reserved_;
  reserved_ = 0;
}

std::optional<StreamFrameReader::Event> StreamFrameReader::pass_over() {
  if (left_ > 0) return std::nullopt;
  is_passing_ = false;
  passed_.swap(buffer_);
  buffer_.swap(rest_);
  rest_.clear();
  return Event{Kind::too_large, passed_operation_, passed_};
}

std::optional<StreamFrameReader::Event> StreamFrameReader::next() {
  if (is_malformed_) return std::nullopt;
  if (is_passing_) return pass_over();
  give_back();
  std::string_view waiting = std::string_view(buffer_).substr(at_);
  if (!has_version_) {
    if (waiting.empty()) return std::nullopt;
    has_version_ = true;
    ++at_;
    return Event{Kind::version, static_cast<unsigned char>(waiting.front()), {}};
  }
  if (waiting.size() < kHeaderBytes) return std::nullopt;
  const std::uint32_t length = length_at(waiting);
  const int operation = static_cast<signed char>(waiting[kLengthBytes]);
  if (length < kLeastLength || length > kMostLength) {
    is_malformed_ = true;
    return Event{Kind::malformed, operation, {}};
  }
  const std::size_t payload_bytes = length - 1;
  const bool takes_budget = length > limits_.free_bytes;
  if (length > limits_.frame_bytes || (takes_budget && length > budget_->bytes_left)) {
    passed_operation_ = operation;
    is_passing_ = true;
    const std::string_view begun = waiting.substr(kHeaderBytes);
    const std::string mine(begun.substr(0, payload_bytes));
    rest_ = begun.substr(mine.size());
    left_ = payload_bytes - mine.size();
    buffer_ = mine.substr(0, kKeptOfTooLarge);
    at_ = 0;
    return pass_over();
  }
  if (takes_budget) {
    reserved_ = length;
    budget_->bytes_left -= length;
  }
  if (waiting.size() < kHeaderBytes + payload_bytes) return std::nullopt;
  at_ += kHeaderBytes + payload_bytes;
  return Event{Kind::frame, operation, waiting.substr(kHeaderBytes, payload_bytes)};
}

std::string encode_frame(int operation, std::string_view payload) {
  const auto length = static_cast<std::uint32_t>(payload.size() + 1);
  std::string frame;
  frame.reserve(kHeaderBytes + payload.size());
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    frame += static_cast<char>(static_cast<std::uint8_t>(length >> (8 * (kLengthBytes - 1 - i))));
  }
  frame += static_cast<char>(operation);
  frame += payload;
  return frame;
}

}  // namespace andon::edge
