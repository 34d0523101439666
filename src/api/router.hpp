// SPDX-License-Identifier: Apache-2.0
// The operator API on one port. The service is the one of the signature's credential scope: "s3"
// goes to the S3 service, every other to the operation table. Verifies who asks, reads the input,
// calls the operation, and writes the answer or the error as that service's AWS protocol has it.
// Only principal "operator" may call operations. Any thread; called by wire::HttpServer's pool.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/authenticator.hpp"
#include "api/operation.hpp"
#include "api/s3.hpp"
#include "wire/http.hpp"

namespace andon::api {

struct RouterOptions {
  // Answers GET /readyz, unsigned: empty when ready, else what is not ready yet. /healthz is 200.
  std::function<std::string()> not_ready_because;
  std::size_t max_body_bytes = 16U
                               << 20U;  // of an operation's input; S3 bodies are not limited here
};

class Router {
 public:
  // `s3` and `authenticator` must outlive it. Throws internal for two rows that clash.
  Router(std::vector<Operation> operations, S3Service& s3, const Authenticator& authenticator,
         RouterOptions options = {});
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  [[nodiscard]] wire::HttpResponse handle(const wire::HttpRequest& request) const;

 private:
  struct PathSegment {
    enum class Kind { literal, parameter, greedy };  // in the order in which they are tried
    Kind kind = Kind::literal;
    std::string text;  // the literal, or the parameter's name
    auto operator<=>(const PathSegment&) const = default;
  };
  struct Route {
    std::vector<PathSegment> segments;
    const Operation* operation;
  };
  struct Service {
    Protocol protocol;
    std::vector<Route> routes;                                     // rest_json
    std::map<std::string, const Operation*, std::less<>> targets;  // by the operation's name
  };
  struct Match {
    const Operation* operation;
    base::json::object path_parameters;
  };

  [[nodiscard]] static std::vector<PathSegment> parse_template(std::string_view path);
  // The values of the parameters where `pieces` of a path, still encoded, fit the template.
  [[nodiscard]] static std::optional<base::json::object> match_path(
      const std::vector<PathSegment>& segments, const std::vector<std::string_view>& pieces);
  [[nodiscard]] std::optional<Match> match(const Service& service,
                                           const wire::HttpRequest& request) const;
  [[nodiscard]] base::json::object read_input(const Match& match,
                                              const wire::HttpRequest& request) const;
  [[nodiscard]] wire::HttpResponse call(const std::string& service_name, const Service& service,
                                        const wire::HttpRequest& request) const;
  [[nodiscard]] wire::HttpResponse refuse_unsigned(const wire::HttpRequest& request) const;

  std::vector<Operation> operations_;
  std::map<std::string, Service, std::less<>> services_;
  S3Service& s3_;
  const Authenticator& authenticator_;
  RouterOptions options_;
};

}  // namespace andon::api
