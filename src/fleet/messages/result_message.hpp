// SPDX-License-Identifier: Apache-2.0
// What a device says about one picture, on DeviceTopics::results(), as far as others need to read
// it (andon-inspect writes it, inspect/results/result.hpp), and what a consumer says back once it
// has stored results, on DeviceTopics::stored_by(). Values; pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"

namespace andon::fleet {

// The broker takes no larger message of a thing.
inline constexpr base::JsonLimits kResult{.max_bytes = 1U << 20U, .max_depth = 16};

// Of what was found, the finding that is surest: a box, a class of the whole picture, or "anomaly".
struct ResultMessage {
  base::Timestamp time;
  std::string image;
  std::string component;  // who looked, and with what
  std::string component_version;
  std::string model;
  std::string model_version;
  std::string label;            // empty where nothing was found
  std::optional<double> score;  // of that finding
  std::string verdict;          // where the message has one
  std::string error;            // code, where there was nothing to look at
};
// Texts are cut. Throws invalid_argument for what is no result: without a time or an image's name,
// or of another shape.
[[nodiscard]] ResultMessage parse_result_message(std::string_view payload);

// A message is known by its bytes: the SHA-256 of its payload, in hex. So nobody can say of a
// message that he has it who has another one.
inline constexpr std::size_t kMaxStoredDigests = 500;

[[nodiscard]] std::string make_stored_message(const std::vector<std::string>& digests);
// Throws invalid_argument for what is malformed, and for more than kMaxStoredDigests.
[[nodiscard]] std::vector<std::string> parse_stored_message(std::string_view payload);

}  // namespace andon::fleet
