// SPDX-License-Identifier: Apache-2.0
#include "inspect/model/model_loader.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace andon::inspect {

using base::Error;
using base::ErrorCode;

ModelLoader::ModelLoader(std::shared_ptr<const Model> current, Load load)
    : current_(std::move(current)),
      load_(std::move(load)),
      wanted_(current_->path),
      loaded_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!loaded_event_) throw base::system_error("cannot wait for models", errno);
  watch_.watch(current_->files.empty() ? model_files(wanted_) : current_->files);
}

ModelLoader::~ModelLoader() {
  if (thread_.joinable()) thread_.join();
}

void ModelLoader::want(const base::fs::path& path) {
  if (path.empty() || path == wanted_) return;
  wanted_ = path;
  watch_.watch(model_files(wanted_));
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

std::optional<ModelLoader::Outcome> ModelLoader::step(base::Timestamp now) {
  if (watch_.take(now)) start();
  std::uint64_t count = 0;
  if (read(loaded_event_.get(), &count, sizeof count) != sizeof count) return std::nullopt;
  thread_.join();
  is_loading_ = false;
  Outcome outcome = std::move(loaded_);
  if (is_wanted_again_) {
    start();  // another one is wanted by now
    return std::nullopt;
  }
  // As they were read: what has changed since is seen.
  if (outcome.model && !outcome.model->files.empty()) watch_.watch(outcome.model->files);
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
