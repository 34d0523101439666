// SPDX-License-Identifier: Apache-2.0
// andon-job: the keeper of one job or function of andon-server, which starts it; not for people.
#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "base/error/error.hpp"
#include "base/text/escape.hpp"
#include "job/keeper/keeper.hpp"
#include "job/keeper/served.hpp"

int main(int argc, char** argv) {
  constexpr std::string_view kUsage =
      "andon-job DIRECTORY: keeps the job that is ordered in DIRECTORY, in the background.\n"
      "andon-job --serve DIRECTORY: keeps a sandbox there for who is at its standard input.\n"
      "andon-server starts it, a process for each job; there is nothing here for people to call.\n";
  if (argc == 2 && (std::string_view(argv[1]) == "--help" || std::string_view(argv[1]) == "-h")) {
    fmt::print("{}", kUsage);
    return 0;
  }
  const bool serves = argc == 3 && std::string_view(argv[1]) == "--serve";
  if (argc != 2 && !serves) {
    fmt::print(stderr, "{}", kUsage);
    return 2;
  }
  try {
    const andon::job::JobDirectory directory(argv[argc - 1]);
    return serves ? andon::job::keep_served(directory) : andon::job::keep_in_background(directory);
  } catch (const andon::base::Error& error) {
    fmt::print(stderr, "andon-job: {}\n", andon::base::escape_controls(error.message()));
    return andon::base::exit_code(error.code());
  } catch (const std::exception& error) {
    fmt::print(stderr, "andon-job: {}\n", error.what());
    return 1;
  }
}
