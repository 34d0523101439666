// SPDX-License-Identifier: Apache-2.0
#include "cli/access/iam_session.hpp"

#include "base/json/json_reader.hpp"

namespace andon::cli {

namespace json = base::json;

json::value IamSession::iam(std::string_view operation, const FormMembers& members) {
  return server_->query("iam", "2010-05-08", operation, members);
}

json::array IamSession::list(std::string_view operation, std::string_view member,
                             FormMembers members) {
  json::array all;
  for (;;) {
    const json::value page = iam(operation, members);
    const base::JsonReader reader(page, "answer");
    if (const auto* items = reader.optional_array(member)) {
      all.insert(all.end(), items->begin(), items->end());
    }
    const auto marker = reader.optional_string("Marker");
    if (!marker || members["Marker"] == *marker) return all;
    members["Marker"] = *marker;
  }
}

}  // namespace andon::cli
