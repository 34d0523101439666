// SPDX-License-Identifier: Apache-2.0
// The tables of parameters and secrets. Every value is sealed (trust/keys/seal.hpp).
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_parameters(store::Database& database);

}  // namespace andon::control
