// SPDX-License-Identifier: Apache-2.0
// Devices whose certificates end: the one place that says which those are, for lists, figures and
// alarms. Of the ACTIVE certificates of a thing the one that lasts longest counts; an old one
// beside it is to end. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct EndingCertificate {
  std::string id;
  std::string thing;
  base::Timestamp not_after;  // may be over
};

// Those that end before `before`, by their end; the first `most` of them.
[[nodiscard]] std::vector<EndingCertificate> ending_certificates(store::Transaction& tx,
                                                                 base::Timestamp before,
                                                                 std::size_t most);
[[nodiscard]] std::int64_t count_ending_certificates(store::Transaction& tx,
                                                     base::Timestamp before);

}  // namespace andon::control
