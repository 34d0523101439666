// SPDX-License-Identifier: Apache-2.0
// What was asked of a bucket beside its objects, each as one text that this store does not read.
#pragma once

#include <cstdint>
#include <string_view>

namespace andon::store {

enum class BucketSetting : std::uint8_t {
  notification,
  policy,
  public_access,
  tags,
  lifecycle,
  cors,
};
[[nodiscard]] std::string_view name_of(BucketSetting setting);

}  // namespace andon::store
