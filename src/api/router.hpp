// SPDX-License-Identifier: Apache-2.0
// The operator API on one port. The service is the one of the signature's credential scope: "s3"
// goes to the S3 service, every other to the operation table. Verifies who asks, reads the input,
// calls the operation, and writes the answer or the error as that service's AWS protocol has it.
// POST /console/call/<service>/<Operation> calls one for the cookie of a session: its body is the
// input as JSON, its answer the output as JSON, whatever the protocol. What a caller may do is
// decided here, once, on the operation's row (table/authorizer.hpp). Any
// thread; called by wire::HttpServer's pool.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/answers.hpp"
#include "api/audit/call_audit.hpp"
#include "api/console/console.hpp"
#include "api/s3/s3.hpp"
#include "api/signin/sign_in.hpp"
#include "api/table/authenticator.hpp"
#include "api/table/authorizer.hpp"
#include "api/table/catalogue/honoured_members.hpp"
#include "api/table/device_caller.hpp"
#include "api/table/operation.hpp"
#include "wire/http/http.hpp"
#include "wire/http/http_server.hpp"

namespace andon::api {

struct RouterOptions {
  // Answers GET /readyz, unsigned: empty when ready, else what is not ready yet. /healthz is 200.
  std::function<std::string()> not_ready_because;
  // Answers GET /metrics, unsigned; null: there are none.
  std::function<std::string()> metrics;
  // Answers GET /andon/v1/ca.pem, unsigned, so that who knows its digest need not be given the
  // file.
  std::string ca_pem = {};
  // Answers requests below /hooks/ that are not signed; null: there are none.
  std::function<wire::HttpResponse(const wire::HttpRequest&)> push;
  std::uint64_t max_push_bytes = 0;
  std::size_t max_body_bytes = 16U
                               << 20U;  // of an operation's input; S3 bodies are not limited here
  // Decides who may call what; null: nobody but principal "operator". Must outlive the router.
  const Authorizer* authorizer = nullptr;
  // Decides what devices may that show a certificate; null: nothing.
  DeviceRefusal devices = {};
  // Records each call; null: nobody does. Must outlive the router.
  control::AuditLog* audit = nullptr;
  // Answers unsigned requests below /console/; null: there are none. Must outlive the router.
  SignIn* sign_in = nullptr;
  // Answers what a browser asks for beside that; null: there is no console. Must outlive the
  // router.
  Console* console = nullptr;
  // Refuses members that the operation does not honour.
  std::function<void(std::string_view service, std::string_view operation,
                     const base::json::object& input)>
      check_members = check_honoured;
};

class Router {
 public:
  // `s3` and `authenticator` must outlive it. Throws internal for two rows that clash.
  Router(std::vector<Operation> operations, S3Service& s3, const Authenticator& authenticator,
         RouterOptions options = {});
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // An operation that answers later gives a response that comes later, too: the router must outlive
  // it.
  [[nodiscard]] wire::HttpResponse handle(const wire::HttpRequest& request) const;
  // Whether a request may send its body, from its head: who is not authenticated, or asks for what
  // takes none, may not.
  [[nodiscard]] wire::HttpAdmission admit(const wire::HttpRequest& head) const;
  // The same from the first kFormStart bytes of a larger body (S3Service::look()).
  [[nodiscard]] std::optional<wire::HttpResponse> look(const wire::HttpRequest& start) const {
    return s3_.look(start);
  }

  // Of a device that shows its certificate in the place of a signature (device/device_plane.hpp).
  // Has the service an operation at the request's path?
  [[nodiscard]] bool has_operation(std::string_view service,
                                   const wire::HttpRequest& request) const;
  // The same as handle() for such a device. What it is refused is recorded, and nothing else, as
  // over MQTT.
  [[nodiscard]] wire::HttpResponse handle_device(const std::string& service, const Caller& device,
                                                 const wire::HttpRequest& request) const;
  // Whether a request says that it is a call of this operation, of a protocol with X-Amz-Target.
  // Nothing of it has been verified.
  [[nodiscard]] static bool asks_for(const wire::HttpRequest& request, std::string_view service,
                                     std::string_view operation);

  // What a request that asks for a WebSocket is given: the console's pages have one.
  [[nodiscard]] wire::HttpUpgrade upgrade(const wire::HttpRequest& request) const;

  // Null where the table has no such row.
  [[nodiscard]] const Operation* find(std::string_view service, std::string_view name) const;

 private:
  struct PathSegment {
    enum class Kind { literal, parameter, greedy };  // in the order in which they are tried
    Kind kind = Kind::literal;
    std::string text;  // the literal, or the parameter's name
    auto operator<=>(const PathSegment&) const = default;
  };
  struct Route {
    std::vector<PathSegment> segments;
    std::string query;  // "find=LayerVersion": what the query must say; empty: anything
    const Operation* operation;
  };
  struct Service {
    Protocol protocol;
    std::uint64_t max_body_bytes;
    std::vector<Route> routes;                                     // rest_json
    std::map<std::string, const Operation*, std::less<>> targets;  // by the operation's name
  };
  struct Match {
    const Operation* operation;
    base::json::object path_parameters;  // of the query protocol: the whole input
  };

  // The service of the credential scope, or the one here that signs with its name.
  [[nodiscard]] std::optional<std::string> asked_service(const wire::HttpRequest& request) const;
  [[nodiscard]] static std::vector<PathSegment> parse_template(std::string_view path);
  // The values of the parameters where `pieces` of a path, still encoded, fit the template.
  [[nodiscard]] static std::optional<base::json::object> match_path(
      const std::vector<PathSegment>& segments, const std::vector<std::string_view>& pieces);
  [[nodiscard]] std::optional<Match> match(const Service& service,
                                           const wire::HttpRequest& request) const;
  [[nodiscard]] std::optional<Match> match_form(const Service& service,
                                                const wire::HttpRequest& request) const;
  [[nodiscard]] std::uint64_t body_limit(const Operation& operation) const;
  [[nodiscard]] base::json::object read_input(const Match& match,
                                              const wire::HttpRequest& request) const;
  [[nodiscard]] wire::HttpResponse call(const std::string& service_name, const Service& service,
                                        const wire::HttpRequest& request,
                                        const std::string& request_id, CallAudit& audit) const;
  // A call of an operation, by whoever it came.
  struct Call {
    const std::string& service;
    const Operation& operation;
    const Caller& caller;
    const base::json::object& input;
    Asked asked;
  };
  // Authorized, checked, recorded.
  [[nodiscard]] wire::HttpResponse perform(const Call& call, const wire::HttpRequest& request,
                                           CallAudit& audit) const;
  // The sentence that refuses it.
  [[nodiscard]] std::optional<std::string> refusal_of(const Call& call) const;
  [[nodiscard]] std::optional<std::string> device_refusal(const Call& call) const;
  [[nodiscard]] static wire::HttpResponse call_later(const Call& call, CallAudit& audit);
  // Of a request below /console/.
  [[nodiscard]] wire::HttpResponse answer_console(const wire::HttpRequest& request,
                                                  const std::string& request_id) const;
  [[nodiscard]] wire::HttpResponse call_by_session(const wire::HttpRequest& request,
                                                   const std::string& request_id,
                                                   CallAudit& audit) const;
  // A file, an event, an object; nothing where it is a sign-in.
  [[nodiscard]] std::optional<wire::HttpResponse> answer_page(const wire::HttpRequest& request,
                                                              const std::string& request_id) const;
  // Tells open pages that the call has changed something.
  void note_change(const Operation& operation) const;
  [[nodiscard]] wire::HttpAdmission admit_console(const wire::HttpRequest& head) const;
  // An operation that needs no signature; nothing where it is none.
  [[nodiscard]] std::optional<wire::HttpResponse> answer_unsigned(const wire::HttpRequest& request,
                                                                  const std::string& request_id,
                                                                  CallAudit& audit) const;
  // Nothing where it may be for a bucket, whose policy may let somebody in.
  [[nodiscard]] std::optional<wire::HttpResponse> refuse_unsigned(const wire::HttpRequest& request,
                                                                  const std::string& request_id,
                                                                  CallAudit& audit) const;

  std::vector<Operation> operations_;
  std::map<std::string, Service, std::less<>> services_;
  S3Service& s3_;
  const Authenticator& authenticator_;
  RouterOptions options_;
};

}  // namespace andon::api
