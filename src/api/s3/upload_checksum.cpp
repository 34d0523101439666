// SPDX-License-Identifier: Apache-2.0
#include "api/s3/upload_checksum.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/s3/format/error.hpp"
#include "base/text/ascii.hpp"

namespace andon::api {
namespace {

std::string_view type_name(ChecksumType type) {
  return type == ChecksumType::composite ? "COMPOSITE" : "FULL_OBJECT";
}

std::optional<ChecksumType> read_type(const S3Call& call) {
  const auto text = call.header(kChecksumTypeHeader);
  if (!text) return std::nullopt;
  for (const ChecksumType type : {ChecksumType::full_object, ChecksumType::composite}) {
    if (base::equal_ignoring_case(*text, type_name(type))) return type;
  }
  throw invalid_argument("x-amz-checksum-type must be FULL_OBJECT or COMPOSITE");
}

S3Error does_not_fit(const std::string& what) {
  return {400, "InvalidRequest", what};
}

// Which types S3 has for it.
bool has_type(ChecksumAlgorithm algorithm, ChecksumType type) {
  switch (algorithm) {
    case ChecksumAlgorithm::crc32:
    case ChecksumAlgorithm::crc32c:
      return true;
    case ChecksumAlgorithm::crc64nvme:
      return type == ChecksumType::full_object;
    case ChecksumAlgorithm::sha256:
      break;
  }
  return type == ChecksumType::composite;
}

struct Given {
  ChecksumAlgorithm algorithm;
  std::string value;
};

std::optional<Given> read_given(const S3Call& call) {
  std::optional<Given> given;
  for (const ChecksumAlgorithm algorithm : kChecksumAlgorithms) {
    const auto value = call.header(header_name(algorithm));
    if (!value) continue;
    if (given) throw does_not_fit("send one x-amz-checksum- header, not several");
    given = Given{algorithm, *value};
  }
  return given;
}

std::string composite_of(ChecksumAlgorithm algorithm,
                         const std::vector<store::UploadedPart>& parts) {
  const std::string name(header_name(algorithm));
  std::vector<std::string> values;
  for (const store::UploadedPart& part : parts) {
    const auto value = part.headers.find(name);
    if (value == part.headers.end()) {
      throw does_not_fit(
          fmt::format("part {} was uploaded without {}, so the upload has no "
                      "composite checksum of it",
                      part.number, name));
    }
    values.push_back(value->second);
  }
  return composite_checksum(algorithm, values);
}

}  // namespace

std::string checksum_type_of(const KeptHeaders& headers) {
  const auto kept = headers.find(kChecksumTypeHeader);
  return kept == headers.end() ? std::string(type_name(ChecksumType::full_object)) : kept->second;
}

KeptHeaders checksums_in(const KeptHeaders& headers) {
  KeptHeaders found;
  for (const auto& [name, value] : headers) {
    if (name == kChecksumTypeHeader || parse_checksum_header(name)) found.emplace(name, value);
  }
  return found;
}

void set_checksums(KeptHeaders& headers, const KeptHeaders& checksums) {
  for (const auto& [name, value] : checksums_in(headers)) headers.erase(name);
  headers.insert(checksums.begin(), checksums.end());
}

void add_stored_checksums(wire::HttpResponse& response, const KeptHeaders& checksums) {
  if (checksums.empty()) return;
  for (const auto& [name, value] : checksums) response.headers.set(name, value);
  response.headers.set(kChecksumTypeHeader, checksum_type_of(checksums));
}

void write_checksums(XmlWriter& xml, const KeptHeaders& headers) {
  for (const ChecksumAlgorithm algorithm : kChecksumAlgorithms) {
    const auto found = headers.find(std::string(header_name(algorithm)));
    if (found == headers.end()) continue;
    xml.text("Checksum" + std::string(algorithm_name(algorithm)), found->second);
  }
}

std::optional<ChecksumAlgorithm> read_algorithm(const S3Call& call) {
  const auto name = call.header(kChecksumAlgorithmHeader);
  if (!name) return std::nullopt;
  const auto algorithm = parse_algorithm_name(*name);
  if (!algorithm) {
    throw not_implemented("x-amz-checksum-algorithm: " + name->substr(0, 64) +
                          " is not supported: use CRC32, CRC32C, CRC64NVME or SHA256");
  }
  return algorithm;
}

UploadChecksum UploadChecksum::read(const S3Call& call) {
  UploadChecksum checksum{.algorithm = read_algorithm(call)};
  const auto type = read_type(call);
  if (!checksum.algorithm) {
    if (type) throw does_not_fit("x-amz-checksum-type needs x-amz-checksum-algorithm");
    return checksum;
  }
  checksum.type = type.value_or(has_type(*checksum.algorithm, ChecksumType::composite)
                                    ? ChecksumType::composite
                                    : ChecksumType::full_object);
  if (!has_type(*checksum.algorithm, checksum.type)) {
    throw does_not_fit(fmt::format("there is no checksum of type {} for {}",
                                   type_name(checksum.type), algorithm_name(*checksum.algorithm)));
  }
  return checksum;
}

UploadChecksum UploadChecksum::of(const store::UploadInfo& upload) {
  UploadChecksum checksum;
  const auto algorithm = upload.headers.find(kChecksumAlgorithmHeader);
  if (algorithm == upload.headers.end()) return checksum;
  checksum.algorithm = parse_algorithm_name(algorithm->second);
  if (checksum_type_of(upload.headers) == type_name(ChecksumType::composite)) {
    checksum.type = ChecksumType::composite;
  }
  return checksum;
}

void UploadChecksum::keep_in(KeptHeaders& headers) const {
  if (!algorithm) return;
  headers[kChecksumAlgorithmHeader] = algorithm_name(*algorithm);
  headers[kChecksumTypeHeader] = type_name(type);
}

ObjectChecksum::ObjectChecksum(const S3Call& call, const store::UploadInfo& upload,
                               const std::vector<store::UploadedPart>& parts)
    : whole_(algorithm_) {
  const UploadChecksum begun = UploadChecksum::of(upload);
  const auto given = read_given(call);
  const auto type = read_type(call);
  if (begun.algorithm && given && given->algorithm != *begun.algorithm) {
    throw does_not_fit(
        fmt::format("the upload was begun with {} checksums, and the request brings "
                    "one in {}",
                    algorithm_name(*begun.algorithm), algorithm_name(given->algorithm)));
  }
  if (type && begun.algorithm && *type != begun.type) {
    throw does_not_fit(fmt::format("the upload was begun with the checksum type {}, not {}",
                                   type_name(begun.type), type_name(*type)));
  }
  if (begun.algorithm) {
    algorithm_ = *begun.algorithm;
    type_ = begun.type;
  } else if (given) {
    algorithm_ = given->algorithm;
    type_ = type.value_or(ChecksumType::full_object);
  } else if (type == ChecksumType::composite) {
    throw does_not_fit(
        "the upload was begun without x-amz-checksum-algorithm, so it has no "
        "COMPOSITE checksum");
  }
  if (given) expected_ = given->value;
  if (type_ == ChecksumType::composite) composite_ = composite_of(algorithm_, parts);
  whole_ = Checksum(algorithm_);
}

void ObjectChecksum::put_into(store::ObjectInfo& object) {
  const std::string whole = whole_.finish();
  const std::string& value = type_ == ChecksumType::composite ? composite_ : whole;
  // Some clients leave the number of parts out.
  const bool is_expected =
      !expected_ || *expected_ == value ||
      (type_ == ChecksumType::composite && *expected_ == value.substr(0, value.find('-')));
  const std::string name(header_name(algorithm_));
  if (!is_expected) {
    throw S3Error(400, "BadDigest",
                  "the checksum of the whole object is " + value + ", not the one in " + name);
  }
  object.headers.erase(kChecksumAlgorithmHeader);
  set_checksums(object.headers,
                {{name, value}, {kChecksumTypeHeader, std::string(type_name(type_))}});
}

}  // namespace andon::api
