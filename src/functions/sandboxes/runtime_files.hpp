// SPDX-License-Identifier: Apache-2.0
// The Python programs that every sandbox sees in /var/runtime (src/functions/python).
#pragma once

#include <string_view>

namespace andon::functions {

extern const std::string_view kBootstrap;      // bootstrap.py
extern const std::string_view kSiteCustomize;  // sitecustomize.py

}  // namespace andon::functions
