// SPDX-License-Identifier: Apache-2.0
// Decodes bodies in S3's "aws-chunked" content encoding, with chunk signatures verified. Pure and
// incremental; one body one object. What is given out is only good once finish() has returned:
// keep it apart until then.
// Source: AWS, "Signature calculations for the Authorization header: transferring payload in
// multiple chunks" and "... including trailing headers".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "trust/digests/digest.hpp"
#include "wire/aws/sigv4.hpp"
#include "wire/http/http.hpp"

namespace andon::wire {

enum class AwsChunkedForm {
  unsigned_trailer,  // STREAMING-UNSIGNED-PAYLOAD-TRAILER
  signed_chunks,     // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  signed_trailer,    // STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
};
// By SignatureClaim::payload_sha256. Nothing where the body is not of that kind; throws unsupported
// for a STREAMING form that is not one of these.
[[nodiscard]] std::optional<AwsChunkedForm> aws_chunked_form(std::string_view payload_sha256);

// What the signature of the first chunk goes on from: the verified one of the request.
struct ChunkSigning {
  trust::Sha256 key{};
  std::string amz_date;
  std::string scope;
  std::string seed_signature;
};
[[nodiscard]] ChunkSigning chunk_signing(const SignatureClaim& claim,
                                         std::string_view secret_access_key);

class AwsChunkedDecoder {
 public:
  using Sink = std::function<void(std::string_view)>;

  // `decoded_size`: the request's X-Amz-Decoded-Content-Length. `signing` is used by the signed
  // forms only.
  AwsChunkedDecoder(AwsChunkedForm form, std::uint64_t decoded_size, ChunkSigning signing);

  // Throws invalid_argument for what is not aws-chunked or has more than `decoded_size` bytes, and
  // unauthenticated for a wrong chunk signature.
  void feed(std::string_view bytes, const Sink& sink);
  // The trailing headers (X-Amz-Checksum-...). Throws invalid_argument for a body that ended early.
  [[nodiscard]] Headers finish();

 private:
  enum class State { chunk_header, data, data_end, trailer, done };

  [[nodiscard]] bool is_signed() const { return form_ != AwsChunkedForm::unsigned_trailer; }
  [[nodiscard]] bool take_line(std::string_view& bytes);
  void read_chunk_header();
  void read_trailer_line();
  void end_chunk();
  void end_trailer();
  void check_signature(std::string_view kind, std::string_view content_part,
                       std::string_view signature);

  AwsChunkedForm form_;
  std::uint64_t decoded_size_;
  ChunkSigning signing_;  // seed_signature: the one before the chunk in hand
  State state_ = State::chunk_header;
  std::string line_;
  std::uint64_t chunk_left_ = 0;
  std::uint64_t given_ = 0;
  std::string chunk_signature_;
  trust::Sha256Stream chunk_digest_;
  Headers trailer_;
  std::size_t trailer_bytes_ = 0;
};

// Feeds the whole of `body` to `decoder` and finishes it.
[[nodiscard]] Headers decode_body(const Body& body, AwsChunkedDecoder& decoder,
                                  const AwsChunkedDecoder::Sink& sink);

}  // namespace andon::wire
