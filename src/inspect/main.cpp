// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "inspect/program/program.hpp"
#include "options/options.hpp"

int main(int argc, char** argv) {
  CLI::App app("Finds what a model was trained to find, in images as they come");
  andon::options::add_standard_options(app, "andon-inspect");
  andon::inspect::Options options;
  andon::inspect::add_options(app, options);
  return andon::options::run_program(argc, argv, app, [&] {
    andon::inspect::run_inspection(options);
    return 0;
  });
}
