// SPDX-License-Identifier: Apache-2.0
// A sandbox's order: what its keeper is told to run, and what the function finds in its
// environment. Pure; any thread.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "functions/sandboxes/plan.hpp"
#include "job/order/order.hpp"

namespace andon::functions {

inline constexpr const char* kTaskRoot = "/var/task";
inline constexpr const char* kRuntimePlace = "/var/runtime";
inline constexpr const char* kRequirementsPlace = "/var/requirements";
inline constexpr const char* kPythonPlace = "/var/python";
inline constexpr const char* kLayersPlace = "/opt";
// In the sandbox's own network.
inline constexpr std::uint16_t kRuntimePort = 9001;
inline constexpr std::uint16_t kApiPort = 9002;

// Of this server, the same for all.
struct SandboxSite {
  std::string region = "us-east-1";
  fs::path runtime;          // bootstrap.py, sitecustomize.py, ca.pem
  fs::path python_packages;  // that every function can import; empty: none
  std::vector<fs::path> hidden;
  fs::path cgroup;
  std::string api_address = "127.0.0.1";  // where this machine reaches the operator API
  std::uint16_t api_port = 0;
  bool is_api_tls = false;
};

[[nodiscard]] job::JobOrder order_of(const SandboxPlan& plan, const SandboxSite& site,
                                     const RoleCredentials& credentials, const std::string& stream);

// Is it one that a function's owner may not set?
[[nodiscard]] bool is_reserved_variable(std::string_view name);
// python3.N, provided, provided.al2 ...
[[nodiscard]] bool is_python(std::string_view runtime);
[[nodiscard]] bool is_known_runtime(std::string_view runtime);

}  // namespace andon::functions
