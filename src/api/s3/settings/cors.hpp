// SPDX-License-Identifier: Apache-2.0
// Which pages of other origins may use a bucket from a browser (CORS). Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/s3/format/xml.hpp"

namespace andon::api {

struct CorsRule {
  std::string id;
  std::vector<std::string> origins;  // with at most one *
  std::vector<std::string> methods;  // GET PUT HEAD POST DELETE
  std::vector<std::string> headers;  // of requests; with at most one *
  std::vector<std::string> exposed;  // of answers
  std::optional<std::int64_t> max_age_seconds;
};

inline constexpr std::size_t kMostCorsRules = 100;

// Throws S3Error(MalformedXML, InvalidRequest, NotImplemented).
[[nodiscard]] std::vector<CorsRule> read_cors(const XmlElement& root);
[[nodiscard]] std::string cors_document(const std::vector<CorsRule>& rules);

struct CorsQuestion {
  std::string origin;
  std::string method;
  std::vector<std::string> headers = {};  // that the page wants to send
};
// The first rule that lets it; null: none does.
[[nodiscard]] const CorsRule* find_cors_rule(const std::vector<CorsRule>& rules,
                                             const CorsQuestion& question);
// What the answer says: "*" where the rule is for every origin, else the origin itself.
[[nodiscard]] std::string allowed_origin(const CorsRule& rule, const std::string& origin);

}  // namespace andon::api
