// SPDX-License-Identifier: Apache-2.0
// andon-launcher: starts the device agent that is to run; not for people.
#include <unistd.h>

#include <cstring>

#include "launch/launcher/launcher.hpp"

int main(int argc, char** argv) {
  constexpr char kUsage[] =
      "andon-launcher DIRECTORY AGENT [ARGUMENT...]: becomes the newest healthy agent of the "
      "device\n"
      "in DIRECTORY: AGENT, or one that a deployment has brought. The package's unit starts it.\n";
  const bool asks = argc == 2 && (!std::strcmp(argv[1], "--help") || !std::strcmp(argv[1], "-h"));
  if (asks || argc < 3) {
    [[maybe_unused]] const ssize_t written =
        write(asks ? STDOUT_FILENO : STDERR_FILENO, kUsage, sizeof kUsage - 1);
    return asks ? 0 : 2;
  }
  return andon::launch::become_agent(argv);
}
