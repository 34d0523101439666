// SPDX-License-Identifier: Apache-2.0
// The lifecycle of a bucket as S3 writes it. What moves objects to other classes of storage is
// refused by name. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "api/s3/format/xml.hpp"
#include "store/objects/lifecycle.hpp"

namespace andon::api {

// Throws S3Error(MalformedXML, InvalidArgument, InvalidRequest, NotImplemented).
[[nodiscard]] std::vector<store::LifecycleRule> read_lifecycle(const XmlElement& root);
[[nodiscard]] std::string lifecycle_document(const std::vector<store::LifecycleRule>& rules);

}  // namespace andon::api
