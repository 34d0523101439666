// SPDX-License-Identifier: Apache-2.0
// Room: curl. Owners of what libcurl has made, and its options, checked: for this floor's sources
// alone, whose headers do without libcurl. A handle is for one thread at a time.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "base/error/error.hpp"

namespace andon::wire {

struct FreeCurl {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, FreeCurl>;
using CurlList = std::unique_ptr<curl_slist, FreeCurl>;

// Throws internal, "`what`: …" with libcurl's reason, where it does not take the value.
template <typename Value>
void set_option(CURL* handle, CURLoption option, Value value,
                const char* what = "libcurl refuses an option") {
  const CURLcode result = curl_easy_setopt(handle, option, value);
  if (result == CURLE_OK) return;
  throw base::Error(base::ErrorCode::internal,
                    std::string(what) + ": " + curl_easy_strerror(result));
}

}  // namespace andon::wire
