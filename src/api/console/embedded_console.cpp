// SPDX-License-Identifier: Apache-2.0
// The bytes of console/console.pack, put into the program by the assembler: the build names the
// file, and makes this anew when it changes.
#include "api/console/console_files.hpp"

// No other way of C++20 puts a file into a program.
asm(".section .rodata.andon_console,\"a\",%progbits\n"
    ".balign 16\n"
    ".globl andon_console_begin\n"
    ".hidden andon_console_begin\n"
    "andon_console_begin:\n"
    ".incbin \"" ANDON_CONSOLE_PACK
    "\"\n"
    ".globl andon_console_end\n"
    ".hidden andon_console_end\n"
    "andon_console_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" {
extern const char andon_console_begin[];
extern const char andon_console_end[];
}

namespace andon::api {

std::string_view embedded_console() {
  return {andon_console_begin, static_cast<std::size_t>(andon_console_end - andon_console_begin)};
}

}  // namespace andon::api
