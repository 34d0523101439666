// SPDX-License-Identifier: Apache-2.0
// The shapes that the server's options have, and how what is wrong with one is told: by its name.
// Thread of main.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <type_traits>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "options/usage_error.hpp"

namespace andon::server {

template <typename Number>
struct Bounds {
  const char* unit;
  Number least;
  Number most;
};

template <typename Number>
void add_number(CLI::App& app, const char* name, Number& number,
                const Bounds<std::type_identity_t<Number>>& bounds, const char* help) {
  app.add_option(name, number, help)
      ->type_name(bounds.unit)
      ->check(CLI::Range(bounds.least, bounds.most))
      ->capture_default_str();
}

// `what` stands in the help in the value's place: FILE.
template <typename Value>
CLI::Option* add_value(CLI::App& app, const char* name, Value& value, const char* what,
                       const char* help) {
  return app.add_option(name, value, help)->type_name(what);
}

// The help says what the value is where nobody gives another.
template <typename Value>
void add_value_with_default(CLI::App& app, const char* name, Value& value, const char* what,
                            const char* help) {
  add_value(app, name, value, what, help)->capture_default_str();
}

[[noreturn]] inline void refuse(const std::string& text) {
  throw options::UsageError(text);
}

// What `read` finds wrong is wrong with the option.
template <typename Read>
void check_option(const std::string& name, Read read) {
  try {
    read();
  } catch (const base::Error& error) {
    refuse(name + ": " + error.message());
  }
}

// Empty is none, and right.
inline void check_is_file(const std::string& name, const std::string& path) {
  if (!path.empty() && !base::fs::is_regular_file(path))
    refuse(name + " '" + path + "' is no file");
}

}  // namespace andon::server
