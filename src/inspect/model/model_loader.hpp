// SPDX-License-Identifier: Apache-2.0
// Loads a newer model beside the one that runs, on a thread of its own, and says when it is warm.
// Follows the model's files too (FileWatch): whenever one of them is another, it is loaded again.
// Used by main's thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error/error.hpp"
#include "inspect/model/file_watch.hpp"
#include "inspect/model/model.hpp"

namespace andon::inspect {

class ModelLoader {
 public:
  using Load = std::function<std::shared_ptr<const Model>(const base::fs::path& path)>;

  // `current`: what runs at the start.
  ModelLoader(std::shared_ptr<const Model> current, Load load);
  ModelLoader(const ModelLoader&) = delete;
  ModelLoader& operator=(const ModelLoader&) = delete;
  // Waits for a load in hand.
  ~ModelLoader();

  // The model in use: frames that are taken from now on are looked at with it.
  [[nodiscard]] const std::shared_ptr<const Model>& current() const { return current_; }

  // Wants the model at `path`; nothing happens where it is in use or being loaded.
  void want(const base::fs::path& path);

  // Loads the one that is wanted once more, for another parallelism.
  void load_again() { start(); }

  struct Outcome {
    std::shared_ptr<const Model> model;  // null where it could not be used
    std::optional<base::Error> problem;
  };
  // Call when fd() or file_fd() is readable, and at look_again_at(). A model that was loaded takes
  // over in this call.
  [[nodiscard]] std::optional<Outcome> step(base::Timestamp now);

  [[nodiscard]] int fd() const { return loaded_event_.get(); }
  [[nodiscard]] int file_fd() const { return watch_.fd(); }
  [[nodiscard]] base::Timestamp look_again_at() const { return watch_.look_again_at(); }

 private:
  void start();

  std::shared_ptr<const Model> current_;
  Load load_;
  base::fs::path wanted_;
  bool is_loading_ = false;
  bool is_wanted_again_ = false;
  base::UniqueFd loaded_event_;
  FileWatch watch_;
  std::thread thread_;
  Outcome loaded_;  // written by the thread before it makes fd() readable, read after
};

}  // namespace andon::inspect
