// SPDX-License-Identifier: Apache-2.0
// S3: buckets, their policies, and objects (Andon::S3::Object), in the XML that clients send.
#include "api/s3/format/xml.hpp"
#include "api/stacks/types/resource_type.hpp"
#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"

namespace andon::api {
namespace {

using Kind = Property::Kind;
using Change = Property::Change;

constexpr std::size_t kLongestName = 63;
constexpr std::size_t kPiece = 1000;

std::string bucket_name(const Work& work) {
  const std::string given = work.text("BucketName");
  return given.empty() ? base::to_lower(work.made_name(kLongestName)) : given;
}

std::optional<json::object> find_bucket(const Work& work) {
  const std::string& bucket = work.physical_id;
  if (!work.calls.find_s3({.method = "HEAD", .bucket = bucket})) return std::nullopt;
  return json::object{
      {"Arn", "arn:aws:s3:::" + bucket},
      {"DomainName", bucket + ".s3.amazonaws.com"},
      {"RegionalDomainName", bucket + ".s3." + work.region + ".amazonaws.com"},
      {"DualStackDomainName", bucket + ".s3.dualstack." + work.region + ".amazonaws.com"},
      {"WebsiteURL", "http://" + bucket + ".s3-website-" + work.region + ".amazonaws.com"}};
}

// One setting of the bucket, where its property differs.
void put_setting(const Work& work, const json::object& before, std::string_view property,
                 const std::string& query, std::string (*document)(const json::value&)) {
  if (!differs(before, work.properties, {property})) return;
  const auto* value = work.get(property);
  if (value == nullptr) {
    if (before.contains(property)) {
      (void)work.calls.find_s3({.method = "DELETE", .bucket = work.physical_id, .query = query});
    }
    return;
  }
  work.calls.s3(
      {.method = "PUT", .bucket = work.physical_id, .query = query, .body = document(*value)});
}

std::string tagging(const json::value& tags) {
  XmlWriter xml("Tagging");
  xml.open("TagSet");
  for (const auto& [key, value] : tag_map(&tags)) {
    xml.open("Tag").text("Key", key).text("Value", std::string_view(value.get_string())).close();
  }
  return xml.finish();
}

std::string versioning(const json::value& value) {
  XmlWriter xml("VersioningConfiguration");
  xml.text("Status", member_text(value, "Status"));
  return xml.finish();
}

std::string public_access(const json::value& value) {
  XmlWriter xml("PublicAccessBlockConfiguration");
  for (const char* name :
       {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"}) {
    const std::string text = member_text(value, name);
    xml.text(name, text.empty() ? "false" : text);
  }
  return xml.finish();
}

[[noreturn]] void refuse_member(std::string_view place, std::string_view name) {
  throw base::Error(base::ErrorCode::unsupported, std::string(place) + "." + std::string(name) +
                                                      ": this server does not support it");
}

void each_text(XmlWriter& xml, std::string_view element, const json::value* list) {
  for (const std::string& one : texts(list)) xml.text(element, one);
}

std::string cors(const json::value& value) {
  XmlWriter xml("CORSConfiguration");
  const auto* rules = member(value, "CorsRules");
  for (const json::value& rule :
       rules != nullptr && rules->is_array() ? rules->get_array() : json::array()) {
    xml.open("CORSRule");
    if (const std::string id = member_text(rule, "Id"); !id.empty()) xml.text("ID", id);
    each_text(xml, "AllowedHeader", member(rule, "AllowedHeaders"));
    each_text(xml, "AllowedMethod", member(rule, "AllowedMethods"));
    each_text(xml, "AllowedOrigin", member(rule, "AllowedOrigins"));
    each_text(xml, "ExposeHeader", member(rule, "ExposedHeaders"));
    if (const std::string age = member_text(rule, "MaxAge"); !age.empty()) {
      xml.text("MaxAgeSeconds", age);
    }
    xml.close();
  }
  return xml.finish();
}

std::string lifecycle(const json::value& value) {
  XmlWriter xml("LifecycleConfiguration");
  const auto* rules = member(value, "Rules");
  for (const json::value& rule :
       rules != nullptr && rules->is_array() ? rules->get_array() : json::array()) {
    xml.open("Rule");
    for (const auto& [name, inner] : rule.as_object()) {
      const bool is_known =
          name == "Id" || name == "Prefix" || name == "Status" || name == "ExpirationInDays" ||
          name == "AbortIncompleteMultipartUpload" || name == "NoncurrentVersionExpiration" ||
          name == "NoncurrentVersionExpirationInDays" || name == "ExpiredObjectDeleteMarker";
      if (!is_known) refuse_member("LifecycleConfiguration.Rules", name);
    }
    if (const std::string id = member_text(rule, "Id"); !id.empty()) xml.text("ID", id);
    xml.open("Filter").text("Prefix", member_text(rule, "Prefix")).close();
    xml.text("Status", member_text(rule, "Status"));
    if (const std::string days = member_text(rule, "ExpirationInDays"); !days.empty()) {
      xml.open("Expiration").text("Days", days).close();
    }
    if (member_text(rule, "ExpiredObjectDeleteMarker") == "true") {
      xml.open("Expiration").text("ExpiredObjectDeleteMarker", "true").close();
    }
    std::string noncurrent = member_text(rule, "NoncurrentVersionExpirationInDays");
    if (const auto* inner = member(rule, "NoncurrentVersionExpiration")) {
      noncurrent = member_text(*inner, "NoncurrentDays");
    }
    if (!noncurrent.empty()) {
      xml.open("NoncurrentVersionExpiration").text("NoncurrentDays", noncurrent).close();
    }
    if (const auto* abort = member(rule, "AbortIncompleteMultipartUpload")) {
      xml.open("AbortIncompleteMultipartUpload")
          .text("DaysAfterInitiation", member_text(*abort, "DaysAfterInitiation"))
          .close();
    }
    xml.close();
  }
  return xml.finish();
}

std::string notification(const json::value& value) {
  XmlWriter xml("NotificationConfiguration");
  for (const auto& [name, inner] : value.as_object()) {
    if (name != "EventBridgeConfiguration") refuse_member("NotificationConfiguration", name);
    if (member_text(inner, "EventBridgeEnabled") != "false") {
      xml.open("EventBridgeConfiguration").close();
    }
  }
  return xml.finish();
}

void put_settings(const Work& work, const json::object& before) {
  put_setting(work, before, "Tags", "tagging", tagging);
  put_setting(work, before, "VersioningConfiguration", "versioning", versioning);
  put_setting(work, before, "PublicAccessBlockConfiguration", "publicAccessBlock", public_access);
  put_setting(work, before, "CorsConfiguration", "cors", cors);
  put_setting(work, before, "LifecycleConfiguration", "lifecycle", lifecycle);
  put_setting(work, before, "NotificationConfiguration", "notification", notification);
}

std::string create_bucket(const Work& work) {
  work.calls.s3({.method = "PUT", .bucket = work.physical_id});
  put_settings(work, {});
  return work.physical_id;
}

// Every object and version, a thousand at a time.
void empty_bucket(const Work& work) {
  for (;;) {
    const auto listed = work.calls.find_s3(
        {.method = "GET", .bucket = work.physical_id, .query = "versions=&max-keys=1000"});
    if (!listed) return;
    const XmlElement root = parse_xml(*listed);
    std::size_t count = 0;
    for (const XmlElement& one : root.children) {
      if (one.name != "Version" && one.name != "DeleteMarker") continue;
      if (++count > kPiece) break;
      work.calls.s3({.method = "DELETE",
                     .bucket = work.physical_id,
                     .key = one.child_text("Key").value_or(""),
                     .query = "versionId=" +
                              base::percent_encode(one.child_text("VersionId").value_or("null"))});
    }
    if (count == 0) return;
  }
}

// CDK marks buckets that its own function would empty so.
constexpr std::string_view kAutoDelete = "aws-cdk:auto-delete-objects";

void remove_bucket(const Work& work) {
  const json::object tags = tag_map(work.get("Tags"));
  const auto* marked = tags.if_contains(kAutoDelete);
  if (marked != nullptr && *marked == "true") empty_bucket(work);
  (void)work.calls.find_s3({.method = "DELETE", .bucket = work.physical_id});
}

std::string policy_bucket(const Work& work) {
  return work.text("Bucket");
}

std::optional<json::object> find_bucket_policy(const Work& work) {
  if (!work.calls.find_s3({.method = "GET", .bucket = work.physical_id, .query = "policy"})) {
    return std::nullopt;
  }
  return json::object{};
}

std::string put_bucket_policy_of(const Work& work) {
  work.calls.s3({.method = "PUT",
                 .bucket = work.physical_id,
                 .query = "policy",
                 .body = work.text("PolicyDocument")});
  return work.physical_id;
}

void update_bucket_policy(const Work& work, const json::object& /*before*/) {
  (void)put_bucket_policy_of(work);
}

void remove_bucket_policy(const Work& work) {
  (void)work.calls.find_s3({.method = "DELETE", .bucket = work.physical_id, .query = "policy"});
}

std::string object_id(const Work& work) {
  return "s3://" + work.text("Bucket") + "/" + work.text("Key");
}

std::optional<json::object> find_object(const Work& work) {
  const S3Ask ask{.method = "HEAD", .bucket = work.text("Bucket"), .key = work.text("Key")};
  if (!work.calls.find_s3(ask)) return std::nullopt;
  return json::object{{"Arn", "arn:aws:s3:::" + ask.bucket + "/" + ask.key},
                      {"Bucket", ask.bucket},
                      {"Key", ask.key},
                      {"Uri", work.physical_id}};
}

std::string put_object_of(const Work& work) {
  const auto* source = work.get("Source");
  const auto* body = work.get("Body");
  if ((source == nullptr) == (body == nullptr)) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "an Andon::S3::Object has either Source (a local file, or Bucket and Key) or "
                      "Body");
  }
  S3Ask ask{.method = "PUT", .bucket = work.text("Bucket"), .key = work.text("Key")};
  const std::string type = work.text("ContentType");
  if (!type.empty()) ask.headers.emplace_back("Content-Type", type);
  if (source != nullptr) {
    const std::string bucket = member_text(*source, "S3Bucket");
    const std::string key = member_text(*source, "S3Key");
    if (bucket.empty() || key.empty()) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "Source: S3Bucket and S3Key say where the content is; a local path is put "
                        "there by `andon apply`");
    }
    ask.headers.emplace_back("x-amz-copy-source",
                             bucket + "/" + base::percent_encode(key, base::Slash::keep));
    if (!type.empty()) ask.headers.emplace_back("x-amz-metadata-directive", "REPLACE");
  } else {
    ask.body = document_text(*body);
  }
  work.calls.s3(ask);
  return work.physical_id;
}

void update_object(const Work& work, const json::object& /*before*/) {
  (void)put_object_of(work);
}

void remove_object(const Work& work) {
  (void)work.calls.find_s3(
      {.method = "DELETE", .bucket = work.text("Bucket"), .key = work.text("Key")});
}

constexpr std::string_view kEncrypted = "objects are as safe as the disk of the server is";
constexpr std::string_view kPrivate = "buckets have no access lists here; say it in a BucketPolicy";
constexpr std::string_view kOwner = "all objects of a bucket are the account's";

}  // namespace

std::vector<ResourceType> s3_types() {
  return {
      {"AWS::S3::Bucket",
       {{"BucketName", Kind::text, Change::replace},
        {"Tags"},
        {"VersioningConfiguration"},
        {"PublicAccessBlockConfiguration"},
        {"CorsConfiguration"},
        {"LifecycleConfiguration"},
        {"NotificationConfiguration"},
        {"BucketEncryption", Kind::any, Change::left_out, kEncrypted},
        {"AccessControl", Kind::any, Change::left_out, kPrivate},
        {"OwnershipControls", Kind::any, Change::left_out, kOwner}},
       "BucketName",
       bucket_name,
       find_bucket,
       create_bucket,
       put_settings,
       remove_bucket},
      {"AWS::S3::BucketPolicy",
       {{"Bucket", Kind::text, Change::replace}, {"PolicyDocument", Kind::document}},
       "",
       policy_bucket,
       find_bucket_policy,
       put_bucket_policy_of,
       update_bucket_policy,
       remove_bucket_policy,
       true},
      {"Andon::S3::Object",
       {{"Bucket", Kind::text, Change::replace},
        {"Key", Kind::text, Change::replace},
        {"Source"},
        {"Body"},
        {"ContentType", Kind::text}},
       "",
       object_id,
       find_object,
       put_object_of,
       update_object,
       remove_object,
       true},
  };
}

}  // namespace andon::api
