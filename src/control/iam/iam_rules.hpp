// SPDX-License-Identifier: Apache-2.0
// Names, ids and ARNs of IAM, and how many there may be of each. Pure but for ids, which are
// random; any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "control/iam/types.hpp"

namespace andon::control {

// As AWS has them, or more.
inline constexpr std::int64_t kMostUsers = 10'000;
inline constexpr std::int64_t kMostGroups = 1'000;
inline constexpr std::int64_t kMostRoles = 5'000;
inline constexpr std::int64_t kMostPolicies = 5'000;
inline constexpr std::int64_t kMostAttached = 20;
inline constexpr std::int64_t kMostInline = 20;
inline constexpr std::int64_t kMostGroupsOfUser = 20;

// How often something of IAM was changed: what was worked out of the tables before is old then.
class IamChanges {
 public:
  void happened() { count_.fetch_add(1, std::memory_order_acq_rel); }
  [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::uint64_t> count_{0};
};

// Throw invalid_argument. `member` names what is wrong.
void check_iam_name(std::string_view name, std::string_view member, std::size_t most);
void check_iam_path(std::string_view path);

[[nodiscard]] std::string make_iam_id(std::string_view prefix);  // "AIDA" + 17 characters
// Names that differ in case only are the same.
[[nodiscard]] std::string iam_key(std::string_view name);
// "arn:aws:iam::<account>:<kind><path><name>".
[[nodiscard]] std::string iam_arn(const std::string& account, std::string_view kind,
                                  std::string_view path, std::string_view name);

}  // namespace andon::control
