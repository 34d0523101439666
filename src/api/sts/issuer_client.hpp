// SPDX-License-Identifier: Apache-2.0
// Asks an OpenID provider: its discovery document, its keys, its tokens. By https, or within this
// machine; a call waits for the network, up to ten seconds. Any thread.
#pragma once

#include <functional>
#include <string>

#include "base/json/json.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

class IssuerClient {
 public:
  // `fetch` is for tests: the body at a URL. Throws base::Error.
  using Fetch = std::function<std::string(const std::string& url)>;
  // `ca_file`: PEM, whom to believe; empty: the system's store.
  explicit IssuerClient(std::string ca_file, Fetch fetch = {})
      : ca_file_(std::move(ca_file)), fetch_(std::move(fetch)) {}

  // Each throws unavailable where there is no good answer.
  [[nodiscard]] std::string get(const std::string& url) const;
  // Sends a form; the answer must be a JSON object, whatever its status.
  struct Answer {
    int status = 0;
    base::json::object body;
  };
  [[nodiscard]] Answer post_form(const std::string& url, const std::string& form,
                                 const wire::Headers& headers) const;
  // The issuer's discovery document, which must be its own.
  [[nodiscard]] base::json::object discover(const std::string& issuer) const;

 private:
  const std::string ca_file_;
  const Fetch fetch_;
};

// A member of what an issuer has said; empty where it is absent or no text.
[[nodiscard]] std::string issuer_text(const base::json::object& document, std::string_view member);

}  // namespace andon::api
