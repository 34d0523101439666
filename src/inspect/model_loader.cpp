// SPDX-License-Identifier: Apache-2.0
#include "inspect/model_loader.hpp"

#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/log.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;

ModelLoader::ModelLoader(std::shared_ptr<const Model> current, Load load)
    : current_(std::move(current)),
      load_(std::move(load)),
      wanted_(current_->path),
      loaded_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!loaded_event_) throw base::system_error("cannot wait for models", errno);
  watch_file();
}

ModelLoader::~ModelLoader() {
  if (thread_.joinable()) thread_.join();
}

void ModelLoader::watch_file() {
  base::UniqueFd inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const base::fs::path folder = base::fs::absolute(wanted_).parent_path();
  if (!inotify || inotify_add_watch(inotify.get(), folder.c_str(),
                                    IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
    base::log_warning("the model's file is not watched for changes",
                      {{"model", wanted_.string()}, {"reason", std::strerror(errno)}});
  }
  inotify_ = std::move(inotify);
}

bool ModelLoader::take_file_events() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  bool is_ours = false;
  while (true) {
    const ssize_t count = inotify_ ? read(inotify_.get(), buffer.data(), buffer.size()) : -1;
    if (count <= 0) return is_ours;
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      if (event.len > 0 && wanted_.filename() == name) is_ours = true;
      at += sizeof event + event.len;
    }
  }
}

void ModelLoader::want(const base::fs::path& path) {
  if (path.empty() || path == wanted_) return;
  wanted_ = path;
  watch_file();
  start();
}

void ModelLoader::start() {
  if (is_loading_) {
    is_wanted_again_ = true;
    return;
  }
  is_loading_ = true;
  is_wanted_again_ = false;
  thread_ = std::thread([this, path = wanted_] {
    loaded_ = {};
    try {
      loaded_.model = load_(path);
    } catch (const Error& error) {
      loaded_.problem = error;
    } catch (const std::exception& error) {
      loaded_.problem = Error(ErrorCode::internal, error.what());
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(loaded_event_.get(), &one, sizeof one);
  });
}

std::optional<ModelLoader::Outcome> ModelLoader::step() {
  if (take_file_events()) start();
  std::uint64_t count = 0;
  if (read(loaded_event_.get(), &count, sizeof count) != sizeof count) return std::nullopt;
  thread_.join();
  is_loading_ = false;
  Outcome outcome = std::move(loaded_);
  if (is_wanted_again_) {
    start();  // another one is wanted by now
    return std::nullopt;
  }
  // A file that was touched but has the same bytes is the same model.
  if (outcome.model && outcome.model->sha256 == current_->sha256 &&
      outcome.model->path == current_->path &&
      outcome.model->parallelism == current_->parallelism) {
    return std::nullopt;
  }
  if (outcome.model) current_ = outcome.model;
  return outcome;
}

}  // namespace andon::inspect
