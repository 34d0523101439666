// SPDX-License-Identifier: Apache-2.0
#include "api/console/console.hpp"

#include <algorithm>
#include <array>

#include "base/text/ascii.hpp"

namespace andon::api {
namespace {

using wire::HttpRequest;
using wire::HttpResponse;

constexpr std::string_view kEvents = "/console/events";
constexpr std::string_view kSocket = "/console/socket";
constexpr std::string_view kObjects = "/console/s3/";

// Scripts and styles are files of ours; pictures may be made in the page, too.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
// Of what somebody has put into a bucket.
constexpr std::string_view kObjectPolicy =
    "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct Picture {
  std::string_view ending;
  std::string_view type;
};
constexpr std::array kPictures{Picture{".jpg", "image/jpeg"}, Picture{".jpeg", "image/jpeg"},
                               Picture{".png", "image/png"},  Picture{".webp", "image/webp"},
                               Picture{".gif", "image/gif"},  Picture{".bmp", "image/bmp"}};

// The type that a browser may show, by the name; what else it says of itself is not believed.
std::string_view picture_type(std::string_view path) {
  const std::string name = base::to_lower(path);
  const auto found = std::ranges::find_if(
      kPictures, [&](const Picture& picture) { return name.ends_with(picture.ending); });
  return found == kPictures.end() ? std::string_view() : found->type;
}

}  // namespace

void guard_page(HttpResponse& response) {
  const auto set = [&response](const char* name, std::string_view value) {
    if (!response.headers.find(name)) response.headers.set(name, std::string(value));
  };
  set("Content-Security-Policy", kPagePolicy);
  set("X-Content-Type-Options", "nosniff");
  set("X-Frame-Options", "DENY");
  set("Referrer-Policy", "no-referrer");
  set("Cross-Origin-Opener-Policy", "same-origin");
  set("Cross-Origin-Resource-Policy", "same-origin");
}

Console::Console(SignIn& sign_in, S3Service& s3, Changes& changes, PageSockets& sockets,
                 std::string_view archive)
    : sign_in_(sign_in), s3_(s3), changes_(changes), sockets_(sockets), files_(archive) {}

bool Console::wants_page(const HttpRequest& request) const {
  if (request.method != "GET" && request.method != "HEAD") return false;
  if (request.path != "/" && request.path != "/console") return false;
  if (!request.query.empty() || request.headers.find("Authorization")) return false;
  if (request.headers.find("Accept").value_or("").find("text/html") == std::string_view::npos) {
    return false;
  }
  return !s3_.names_bucket_by_host(request) && files_.count() > 0;
}

HttpResponse Console::to_console() {
  HttpResponse response{.status = 303};
  response.headers.set("Location", "/console/");
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Vary", "Accept, Authorization");
  return response;
}

std::optional<HttpResponse> Console::answer(const HttpRequest& request) {
  if (request.path.starts_with(kObjects)) return answer_object(request);
  if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
  if (request.path == kEvents) {
    (void)sign_in_.caller_of(request);
    return changes_.wait(request.headers.find("Last-Event-ID").value_or(""));
  }
  if (request.path == kSocket) {
    (void)sign_in_.caller_of(request);
    throw ServiceError(426, "UpgradeRequired", "there is a WebSocket here and nothing else");
  }
  return files_.find(request);
}

std::shared_ptr<wire::WebSocket> Console::open_socket(const HttpRequest& request) {
  return request.path == kSocket ? sockets_.open(request) : nullptr;
}

HttpResponse Console::answer_object(const HttpRequest& request) {
  const auto [caller, session] = sign_in_.caller_of(request);
  if (request.method != "GET" && request.method != "DELETE") {
    throw ServiceError(405, "MethodNotAllowed", "objects are read and deleted here: GET or DELETE");
  }
  HttpRequest asked;
  asked.method = request.method;
  asked.path = "/" + request.path.substr(kObjects.size());
  asked.query = request.query;
  const std::size_t question = request.target.find('?');
  asked.target =
      asked.path + (question == std::string::npos ? "" : request.target.substr(question));
  asked.peer_address = request.peer_address;
  asked.is_tls = request.is_tls;
  for (const char* name : {"Range", "If-None-Match", "If-Modified-Since", "User-Agent"}) {
    if (const auto value = request.headers.find(name)) asked.headers.set(name, std::string(*value));
  }
  HttpResponse response = s3_.call(caller, asked, kConsoleVia, "session " + session);
  if (request.method == "DELETE") changes_.note(ChangeKind::objects);
  response.headers.set("Content-Security-Policy", std::string(kObjectPolicy));
  const std::string_view picture = picture_type(asked.path);
  if (picture.empty()) {
    response.headers.set("Content-Disposition", "attachment");
  } else {
    response.headers.set("Content-Type", std::string(picture));
    response.headers.remove("Content-Disposition");
  }
  response.headers.set("Cache-Control", "private, no-cache");
  return response;
}

}  // namespace andon::api
