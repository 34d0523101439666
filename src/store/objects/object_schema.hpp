// SPDX-License-Identifier: Apache-2.0
// The tables of the object store: buckets and their settings, objects, further versions, uploads
// and their parts, and what lies below each first folder. Part of its inside.
#pragma once

#include <vector>

#include "store/sql/database.hpp"

namespace andon::store {

[[nodiscard]] const std::vector<Migration>& object_migrations();

}  // namespace andon::store
