// SPDX-License-Identifier: Apache-2.0
// Room: console. What a browser is given beside sign-in and calls of operations:
//   GET  /, /console            lead a browser to /console/
//   GET  /console/...           the console's own files
//   GET  /console/events        what has changed (changes.hpp)
//   GET  /console/socket          a WebSocket: messages, frames (page_sockets.hpp)
//   GET, DELETE /console/s3/<bucket>[/<key>]   S3's own answer, for the session that asks
// Every answer has the headers that keep other sites and other people's content out of its pages:
// an object is shown as a picture or given as a file, and never runs. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/console/changes.hpp"
#include "api/console/console_files.hpp"
#include "api/console/page_sockets.hpp"
#include "api/s3/s3.hpp"
#include "api/signin/sign_in.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

class Console {
 public:
  // All that it is given must outlive it.
  Console(SignIn& sign_in, S3Service& s3, Changes& changes, PageSockets& sockets,
          std::string_view archive);

  // Whether a browser asks for a page where S3 would list buckets: it says that it takes HTML, and
  // signs nothing.
  [[nodiscard]] bool wants_page(const wire::HttpRequest& request) const;
  [[nodiscard]] static wire::HttpResponse to_console();

  // Nothing for what is not its own: a sign-in, a call. Throws ServiceError as caller_of() and S3.
  [[nodiscard]] std::optional<wire::HttpResponse> answer(const wire::HttpRequest& request);

  // For a request that asks for a WebSocket: nothing where there is none at its path. Throws
  // ServiceError as PageSockets::open().
  [[nodiscard]] std::shared_ptr<wire::WebSocket> open_socket(const wire::HttpRequest& request);

  [[nodiscard]] Changes& changes() { return changes_; }

 private:
  [[nodiscard]] wire::HttpResponse answer_object(const wire::HttpRequest& request);

  SignIn& sign_in_;
  S3Service& s3_;
  Changes& changes_;
  PageSockets& sockets_;
  ConsoleFiles files_;
};

// On every answer below /console/.
void guard_page(wire::HttpResponse& response);

}  // namespace andon::api
