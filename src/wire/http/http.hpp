// SPDX-License-Identifier: Apache-2.0
// The plain types of an HTTP exchange, shared by server, client, SigV4 and the operation tables.
// Values only; no Beast, no curl.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/os/file.hpp"

namespace andon::wire {

// Header fields in order of arrival; names compare without case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

  void add(std::string name, std::string value);
  void set(std::string name, std::string value);  // replaces every field of that name
  void remove(std::string_view name);
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// A body that was received: in memory up to a limit, beyond it in an unlinked temporary file.
class Body {
 public:
  Body() = default;
  explicit Body(std::string bytes) : content_(std::move(bytes)) {}
  Body(base::UniqueFd file, std::uint64_t size) : content_(Spooled{std::move(file), size}) {}

  [[nodiscard]] std::uint64_t size() const;
  // The bytes in memory; throws resource_exhausted for a spooled body larger than `max_bytes`.
  [[nodiscard]] std::string read(std::size_t max_bytes = 16U << 20U) const;
  // Copies up to `buffer_size` bytes from `offset`; 0 at the end.
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, char* buffer,
                                    std::size_t buffer_size) const;

 private:
  struct Spooled {
    base::UniqueFd file;
    std::uint64_t size;
  };
  std::variant<std::string, Spooled> content_;
};

struct HttpRequest {
  std::string method;
  std::string target;  // exactly as sent: path and query, still percent-encoded
  std::string path;    // the part of target before '?', still percent-encoded
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  Headers headers;
  Body body;
  std::string peer_address;  // "127.0.0.1:50100"
  bool is_tls = false;
  std::optional<std::string> client_certificate_pem;  // verified against the listener's CA

  [[nodiscard]] std::optional<std::string> query_value(std::string_view name) const;
};

// A part of an open file to send, by sendfile or copying; the response owns the descriptor.
struct FileBody {
  base::UniqueFd file;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

class LaterResponse;

struct HttpResponse {
  int status = 200;
  Headers headers;  // Content-Length is set by the server, from the body
  // Not sent in answer to HEAD, where the handler may set Content-Length itself and leave it empty.
  std::variant<std::string, FileBody> body;
  // Set where the handler has no response yet: the one that is then given to it is sent, and the
  // rest of this one counts for nothing (http_later.hpp).
  std::shared_ptr<LaterResponse> later = {};
};

// The answer to a request's head, before its body is read.
struct HttpAdmission {
  std::optional<HttpResponse> refusal;  // sent instead; the body is not read
  std::uint64_t max_body_bytes = 0;     // more is answered with 413
};

// "/a/b?x=1" -> {"/a/b", "x=1"}; also takes the absolute form, "http://host/a/b?x=1". Nothing is
// decoded. Nothing for a target of neither form.
struct RequestTarget {
  std::string_view path;
  std::string_view query;
};
[[nodiscard]] std::optional<RequestTarget> split_target(std::string_view target);

// Decodes "a=1&b=x%20y&c" ('+' is a space). Nothing for a malformed '%' escape.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(
    std::string_view query);

}  // namespace andon::wire
