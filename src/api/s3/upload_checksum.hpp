// SPDX-License-Identifier: Apache-2.0
// The checksums of objects and uploads: which algorithm an upload was begun with, what its parts
// bring, and what the whole object gets. They are kept among the headers of objects, parts and
// uploads (store::PutOptions::headers). Pure; one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/s3/call.hpp"
#include "api/s3/format/checksum.hpp"

namespace andon::api {

inline constexpr const char* kChecksumTypeHeader = "x-amz-checksum-type";
inline constexpr const char* kChecksumAlgorithmHeader = "x-amz-checksum-algorithm";

using KeptHeaders = std::map<std::string, std::string>;

// "FULL_OBJECT" unless another is kept.
[[nodiscard]] std::string checksum_type_of(const KeptHeaders& headers);
// The checksum headers among those kept, their type included.
[[nodiscard]] KeptHeaders checksums_in(const KeptHeaders& headers);
// Replaces those in `headers`.
void set_checksums(KeptHeaders& headers, const KeptHeaders& checksums);
// Into the answer to a write, which says the type as well.
void add_stored_checksums(wire::HttpResponse& response, const KeptHeaders& checksums);

// Members of an answer: <ChecksumCRC32> and its like.
void write_checksums(XmlWriter& xml, const KeptHeaders& headers);

// x-amz-checksum-algorithm. Throws S3Error(NotImplemented) for one that is not known.
[[nodiscard]] std::optional<ChecksumAlgorithm> read_algorithm(const S3Call& call);

struct UploadChecksum {
  std::optional<ChecksumAlgorithm> algorithm;  // none was asked for
  ChecksumType type = ChecksumType::full_object;

  // From the request that begins an upload; throws S3Error for a type that the algorithm has not.
  [[nodiscard]] static UploadChecksum read(const S3Call& call);
  [[nodiscard]] static UploadChecksum of(const store::UploadInfo& upload);
  void keep_in(KeptHeaders& headers) const;
};

// The checksum of the whole while an upload is completed: that of its algorithm, or what the
// request brings, or CRC-64/NVME as S3 makes it.
class ObjectChecksum {
 public:
  // `parts` are those that the object is made of, as they were uploaded. Throws S3Error where
  // request and upload do not agree.
  ObjectChecksum(const S3Call& call, const store::UploadInfo& upload,
                 const std::vector<store::UploadedPart>& parts);

  void update(std::string_view content) { whole_.update(content); }
  // Throws S3Error(BadDigest) where it is not the one that the request brings.
  void put_into(store::ObjectInfo& object);

 private:
  ChecksumAlgorithm algorithm_ = ChecksumAlgorithm::crc64nvme;
  ChecksumType type_ = ChecksumType::full_object;
  std::optional<std::string> expected_;
  std::string composite_;
  Checksum whole_;
};

}  // namespace andon::api
