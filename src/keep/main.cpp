// SPDX-License-Identifier: Apache-2.0
// andon-keeper: the keeper of one component of andon-edge, which starts it; not for people.
#include <unistd.h>

#include <cstring>

#include "keep/keeper/keeper.hpp"

int main(int argc, char** argv) {
  constexpr char kUsage[] =
      "andon-keeper DIRECTORY: keeps a component's process for who is at its standard input.\n"
      "andon-edge starts it, one for each component; there is nothing here for people to call.\n";
  const bool asks = argc == 2 && (!std::strcmp(argv[1], "--help") || !std::strcmp(argv[1], "-h"));
  if (asks || argc != 2) {
    [[maybe_unused]] const ssize_t written =
        write(asks ? STDOUT_FILENO : STDERR_FILENO, kUsage, sizeof kUsage - 1);
    return asks ? 0 : 2;
  }
  return andon::keep::keep_in_background();
}
