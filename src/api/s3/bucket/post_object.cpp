// SPDX-License-Identifier: Apache-2.0
// A form that a browser posts (presigned POST): its policy says what its signer allows, and the
// signer must be allowed to put the object.
#include <algorithm>
#include <array>

#include "api/s3/access.hpp"
#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"
#include "api/s3/parameters.hpp"
#include "api/s3/settings/form_data.hpp"
#include "api/s3/settings/post_policy.hpp"
#include "api/s3/settings/tagging.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"

namespace andon::api {
namespace {

using wire::HttpResponse;

constexpr std::array<std::string_view, 5> kOfTheSignature{
    "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token"};
constexpr std::array<std::string_view, 6> kKept{"content-type",        "cache-control",
                                                "content-disposition", "content-encoding",
                                                "content-language",    "expires"};

std::string require_field(const FormData& form, std::string_view name) {
  auto value = form.find(name);
  if (value) return *std::move(value);
  throw invalid_argument("Bucket POST must contain a field named '" + std::string(name) +
                         "'. If it is specified, please check the order of the fields.");
}

// ${filename} stands for the name that the browser says.
std::string key_of(const FormData& form) {
  constexpr std::string_view kFileName = "${filename}";
  std::string key = require_field(form, "key");
  for (std::size_t at = key.find(kFileName); at != std::string::npos;
       at = key.find(kFileName, at + form.file->name.size())) {
    key.replace(at, kFileName.size(), form.file->name);
  }
  if (key.empty()) throw invalid_argument("User key must have a length greater than 0.");
  return key;
}

FormSignature signature_of(const FormData& form) {
  if (!form.find("policy")) {
    throw S3Error(403, "AccessDenied", "a form must have a policy, and be signed");
  }
  // Of before 2014, as boto3 still makes it for the older regions.
  if (const auto key_id = form.find("AWSAccessKeyId")) {
    return {.algorithm = {},
            .credential = *key_id,
            .date = {},
            .signature = require_field(form, "signature"),
            .session_token = form.find("x-amz-security-token").value_or(""),
            .policy = require_field(form, "policy")};
  }
  return {.algorithm = require_field(form, "x-amz-algorithm"),
          .credential = require_field(form, "x-amz-credential"),
          .date = require_field(form, "x-amz-date"),
          .signature = require_field(form, "x-amz-signature"),
          .session_token = form.find("x-amz-security-token").value_or(""),
          .policy = require_field(form, "policy")};
}

// What PutObject has in headers.
wire::Headers headers_of(const FormData& form, const wire::HttpRequest& request) {
  wire::Headers headers;
  for (const char* name : {"Host", "User-Agent"}) {
    if (const auto value = request.headers.find(name)) headers.set(name, std::string(*value));
  }
  for (const auto& [name, value] : form.fields) {
    const std::string field = base::to_lower(name);
    const bool is_signature = std::ranges::find(kOfTheSignature, field) != kOfTheSignature.end();
    if (field == "acl") headers.set("x-amz-acl", value);
    if (field == "tagging" || field == "content-md5") {
      if (field == "content-md5") throw not_implemented("a form cannot have the field " + field);
      continue;
    }
    const bool is_kept = std::ranges::find(kKept, field) != kKept.end();
    if (is_kept || (field.starts_with("x-amz-") && !is_signature)) headers.set(field, value);
  }
  return headers;
}

// The checksum that a form may bring, compared as the content is read.
class FormChecksum {
 public:
  explicit FormChecksum(const wire::Headers& headers) {
    for (const ChecksumAlgorithm algorithm : kChecksumAlgorithms) {
      const auto value = headers.find(header_name(algorithm));
      if (!value) continue;
      if (checksum_) {
        throw S3Error(400, "InvalidRequest", "send one x-amz-checksum- field, not several");
      }
      name_ = header_name(algorithm);
      expected_ = *value;
      checksum_.emplace(algorithm);
    }
  }
  void update(std::string_view bytes) {
    if (checksum_) checksum_->update(bytes);
  }
  void finish(std::map<std::string, std::string>& headers) {
    if (!checksum_) return;
    if (checksum_->finish() != expected_) {
      throw S3Error(400, "BadDigest", "the file's checksum is not the one in " + name_);
    }
    headers[name_] = expected_;
  }

 private:
  std::string name_;
  std::string expected_;
  std::optional<Checksum> checksum_;
};

HttpResponse success(const FormData& form, const S3Call& call, const store::ObjectInfo& object) {
  HttpResponse response{.status = 204};
  const std::string etag = quoted_etag(object.etag);
  const std::string location = (call.request.is_tls ? "https://" : "http://") +
                               call.header("Host").value_or("") + "/" + object.bucket + "/" +
                               base::percent_encode(object.key, base::Slash::keep);
  response.headers.set("ETag", etag);
  response.headers.set("Location", location);
  add_version_id(response, object.version_id);
  auto redirect = form.find("success_action_redirect");
  if (!redirect) redirect = form.find("redirect");
  const bool is_url = redirect &&
                      (redirect->starts_with("http://") || redirect->starts_with("https://")) &&
                      std::ranges::all_of(*redirect, [](char c) { return c > ' ' && c < '\x7f'; });
  if (is_url) {
    response.status = 303;
    response.headers.set(
        "Location", *redirect + (redirect->find('?') == std::string::npos ? "?" : "&") +
                        "bucket=" + base::percent_encode(object.bucket) + "&key=" +
                        base::percent_encode(object.key) + "&etag=" + base::percent_encode(etag));
    return response;
  }
  const std::string status = form.find("success_action_status").value_or("");
  if (status == "200") response.status = 200;
  if (status != "201") return response;
  XmlWriter xml("PostResponse", "");
  xml.text("Location", location).text("Bucket", object.bucket).text("Key", object.key);
  xml.text("ETag", etag);
  HttpResponse created = xml_response(xml);
  created.status = 201;
  for (const auto& [name, value] : response.headers.fields()) created.headers.set(name, value);
  return created;
}

}  // namespace

bool is_post_object(const wire::HttpRequest& request, const S3Address& address) {
  return request.method == "POST" && !address.bucket.empty() && address.key.empty() &&
         request.query.empty() && !request.headers.find("Authorization") &&
         read_boundary(request.headers.find("Content-Type").value_or("")).has_value();
}

void check_signer(const wire::HttpRequest& request, const Authenticator& authenticator) {
  const FormData form = read_form_start(
      request.body, *read_boundary(request.headers.find("Content-Type").value_or("")));
  if (!form.file) throw invalid_argument("POST requires exactly one file upload per request.");
  (void)authenticator.authenticate_form(request, signature_of(form));
}

HttpResponse post_object(const S3Call& call, const Authenticator& authenticator) {
  const FormData form = read_form_data(
      call.request.body, *read_boundary(call.request.headers.find("Content-Type").value_or("")));
  if (!form.file) throw invalid_argument("POST requires exactly one file upload per request.");
  const Identity identity = authenticator.authenticate_form(call.request, signature_of(form));
  PostPolicy(require_field(form, "policy")).check(form, call.address.bucket, call.clock.now());
  const S3Address address{.bucket = call.address.bucket, .key = key_of(form)};
  const wire::Headers headers = headers_of(form, call.request);
  const S3Call put{.request = call.request,
                   .headers = headers,
                   .identity = identity,
                   .address = address,
                   .objects = call.objects,
                   .clock = call.clock,
                   .options = call.options,
                   .policies = call.policies,
                   .audit = call.audit};
  call.audit->set_caller(identity.caller, call.options.authorizer);
  call.audit->add_resource(resource_of(address));
  authorize(put, S3Effect::uploads, "s3:PutObject");
  check_parameters(put, "PutObject");
  require_bucket(put);
  store::PutOptions options = read_put_options(put);
  if (const auto tagging = form.find("tagging")) {
    try {
      options.tags = read_tagging(parse_xml(*tagging), kMostObjectTags);
    } catch (const base::Error& error) {
      throw malformed_xml(error.message());
    }
    authorize_object(put, "s3:PutObjectTagging", address, tag_keys(options.tags));
  } else {
    authorize_tags(put, address);
  }
  options.quota = quota_of(put);
  FormChecksum checksum(headers);
  options.check = [&](const store::ContentDigests&) { checksum.finish(options.headers); };
  options.check_replaced = [&](const auto& old) { check_write_conditions(headers, old); };
  std::uint64_t offset = form.file->offset;
  const std::uint64_t end = offset + form.file->size;
  const store::ByteSource read = [&](char* buffer, std::size_t size) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, end - offset));
    const std::size_t count = wanted == 0 ? 0 : call.request.body.read_at(offset, buffer, wanted);
    offset += count;
    checksum.update({buffer, count});
    return count;
  };
  return success(form, put, call.objects.put(address.bucket, address.key, read, options));
}

}  // namespace andon::api
