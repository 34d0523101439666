// SPDX-License-Identifier: Apache-2.0
#include "server/services/model_opener.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/error/error.hpp"
#include "base/os/process.hpp"
#include "base/text/escape.hpp"

namespace andon::server {
namespace {

using control::ModelCheck;
using control::ModelVerdict;

constexpr std::size_t kMostSaid = 4096;

ModelCheck not_checked(std::string why) {
  return {ModelVerdict::not_checked, std::move(why), {}};
}

// The last line that is not empty, without the program's name.
std::string last_words(const base::fs::path& file) {
  std::string said = base::read_file_if_exists(file).value_or("");
  if (said.size() > kMostSaid) said = said.substr(said.size() - kMostSaid);
  while (!said.empty() && said.back() == '\n') said.pop_back();
  said = said.substr(said.rfind('\n') + 1);
  constexpr std::string_view kName = "andon: ";
  if (said.starts_with(kName)) said.erase(0, kName.size());
  return base::escape_line(said);
}

}  // namespace

base::fs::path find_andon() {
  const base::fs::path here = base::fs::read_symlink("/proc/self/exe").parent_path();
  for (const base::fs::path& candidate : {here / "andon", base::fs::path("/usr/bin/andon")}) {
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

ModelCheck open_with_andon(const base::fs::path& andon, const base::fs::path& model,
                           std::chrono::milliseconds patience) {
  if (andon.empty()) {
    return not_checked("the server's machine has no program `andon` to open it with");
  }
  const base::TemporaryDirectory folder;
  const base::fs::path said = folder.path() / "said";
  const base::UniqueFd errors = base::open_file(said, O_WRONLY | O_CREAT | O_TRUNC);
  const base::UniqueFd nothing = base::open_file("/dev/null", O_RDWR);
  try {
    base::Process process(
        {.arguments = {andon.string(), "model", "inspect", model.string(), "--json", "--runs", "0"},
         .environment = {},
         .working_directory = {},
         .stdin_fd = nothing.get(),
         .stdout_fd = nothing.get(),
         .stderr_fd = errors.get(),
         .user = {},
         .group = {},
         .groups = {}});
    const auto ended = process.wait(patience);
    if (!ended) return not_checked("it was not open after a minute");
    if (ended->ok()) return {ModelVerdict::loads, {}, {}};
    const bool has_no_runtime =
        ended->signal == 0 && ended->code == base::exit_code(base::ErrorCode::failed_precondition);
    if (has_no_runtime) return not_checked("the server's machine has no ONNX Runtime");
    const std::string words = last_words(said);
    return {ModelVerdict::fails,
            words.empty() ? "who opened it ended with " + base::to_string(*ended) : words,
            {}};
  } catch (const base::Error& error) {
    return not_checked("`andon` could not be started: " + error.message());
  }
}

}  // namespace andon::server
