// SPDX-License-Identifier: Apache-2.0
// andon's own GetOwnAccess: what whoever calls may do, so that a page offers nobody a button that
// is refused. Needs no right: it tells of the caller alone, users and roles' sessions alike. The
// operations decide at each call all the same: conditions on what a request brings (tags), and
// policies of buckets, are not known here. Rows for the operation table; any thread.
#pragma once

#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"

namespace andon::api {

// `authorizer` must outlive them.
[[nodiscard]] std::vector<Operation> own_access_operations(const Authorizer& authorizer);

}  // namespace andon::api
