// SPDX-License-Identifier: Apache-2.0
// Pages of other origins: the rules of a bucket, the question of a browser before a request, and
// what answers say.
#include "api/s3/settings/cors.hpp"

#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"
#include "base/text/split.hpp"

namespace andon::api {
namespace {

using store::BucketSetting;
using wire::HttpResponse;

constexpr std::size_t kMaxBytes = 64U << 10U;

std::vector<CorsRule> rules_of(const store::ObjectStore& objects, const std::string& bucket) {
  const auto document = objects.bucket_setting(bucket, BucketSetting::cors);
  if (!document) return {};
  return read_cors(parse_xml(*document));
}

void set_list(wire::Headers& headers, const char* name, const std::vector<std::string>& texts) {
  if (!texts.empty()) headers.set(name, base::join(texts, ", "));
}

void allow(wire::Headers& headers, const CorsRule& rule, const std::string& origin) {
  const std::string allowed = allowed_origin(rule, origin);
  headers.set("Access-Control-Allow-Origin", allowed);
  if (allowed != "*") headers.set("Access-Control-Allow-Credentials", "true");
  set_list(headers, "Access-Control-Allow-Methods", rule.methods);
  set_list(headers, "Access-Control-Expose-Headers", rule.exposed);
  if (rule.max_age_seconds) {
    headers.set("Access-Control-Max-Age", std::to_string(*rule.max_age_seconds));
  }
  headers.set("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
}

}  // namespace

HttpResponse get_bucket_cors(const S3Call& call) {
  require_bucket(call);
  auto document = call.objects.bucket_setting(call.address.bucket, BucketSetting::cors);
  if (!document) {
    throw S3Error(404, "NoSuchCORSConfiguration", "The CORS configuration does not exist");
  }
  return xml_response(*std::move(document));
}

HttpResponse put_bucket_cors(const S3Call& call) {
  require_bucket(call);
  const auto rules = read_cors(read_xml(call, kMaxBytes));
  call.objects.set_bucket_setting(call.address.bucket, BucketSetting::cors, cors_document(rules));
  return {};
}

HttpResponse delete_bucket_cors(const S3Call& call) {
  require_bucket(call);
  call.objects.set_bucket_setting(call.address.bucket, BucketSetting::cors, std::nullopt);
  return {.status = 204};
}

HttpResponse answer_preflight(const store::ObjectStore& objects, const wire::HttpRequest& request,
                              const std::string& bucket) {
  const std::string origin(request.headers.find("Origin").value_or(""));
  const std::string method(request.headers.find("Access-Control-Request-Method").value_or(""));
  if (origin.empty() || method.empty()) {
    throw S3Error(400, "BadRequest",
                  "Insufficient information. Origin and Access-Control-Request-Method request "
                  "headers needed.");
  }
  CorsQuestion question{.origin = origin, .method = method};
  for (const std::string_view header :
       base::split(request.headers.find("Access-Control-Request-Headers").value_or(""), ',')) {
    const std::string_view name = base::trim(header);
    if (!name.empty()) question.headers.emplace_back(name);
  }
  const auto rules = rules_of(objects, bucket);
  const CorsRule* rule = find_cors_rule(rules, question);
  if (rule == nullptr) {
    throw S3Error(403, "AccessForbidden",
                  rules.empty()
                      ? "CORSResponse: CORS is not enabled for this bucket."
                      : "CORSResponse: This CORS request is not allowed. No rule of the bucket "
                        "has this origin, method and these headers.");
  }
  HttpResponse response;
  allow(response.headers, *rule, origin);
  set_list(response.headers, "Access-Control-Allow-Headers", question.headers);
  return response;
}

void add_cors_headers(const store::ObjectStore& objects, const wire::HttpRequest& request,
                      const std::string& bucket, HttpResponse& response) {
  const auto origin = request.headers.find("Origin");
  if (!origin || bucket.empty()) return;
  const auto rules = rules_of(objects, bucket);
  const CorsRule* rule =
      find_cors_rule(rules, {.origin = std::string(*origin), .method = request.method});
  if (rule != nullptr) allow(response.headers, *rule, std::string(*origin));
}

}  // namespace andon::api
