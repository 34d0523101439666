// SPDX-License-Identifier: Apache-2.0
// The operations that a server answers: the rows of all its services, one table. Thread of main.
#pragma once

#include <vector>

#include "api/table/operation.hpp"

namespace andon::server {

struct ServerParts;

// `parts` must outlive them; of those that its router needs all are there already. Throws internal
// for a row that the catalogue does not know (api/table/catalogue).
[[nodiscard]] std::vector<api::Operation> operations_of(ServerParts& parts);

}  // namespace andon::server
