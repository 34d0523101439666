// SPDX-License-Identifier: Apache-2.0
// The images of components, in the store of the device's container engine: brings those that are
// not there, and takes away those that the agent has brought and no component needs any more. What
// it has brought stands in packages/images.json, written before the engine is asked to, so that a
// crash leaves no image that nobody remembers; what was there before is never written there. Used
// by the deployment worker, on background threads, one at a time but for now_pulling().
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "edge/budget/link_budget.hpp"
#include "edge/images/container_engine.hpp"
#include "edge/images/wanted_image.hpp"
#include "edge/loop/cancellation.hpp"
#include "edge/state/layout.hpp"

namespace andon::edge {

struct ImageSettings {
  std::string engine;  // as ContainerEngine takes it
  // Variables of the agent's environment that components get.
  std::vector<std::string> passed_environment = {};
  std::chrono::milliseconds patience{600'000};  // with a registry that does not answer
  // For one image: the engine does not say how far it is.
  std::chrono::milliseconds pull{7'200'000};
};

class ImageStore {
 public:
  ImageStore(const Layout& layout, ImageSettings settings, LinkBudget& budget);

  // Is there an engine for them, and may those use it who will? Before anything is fetched. Throws
  // DeploymentFailure naming component and image.
  void check(const std::vector<WantedImage>& wanted, const Cancellation& cancellation);
  // Pulls what is not there, one after the other; gives how many. A window of the budget that is
  // closed is waited for; what the engine fetches is neither counted nor slowed down by it. Throws
  // DeploymentFailure naming component and image; base::Error(cancelled).
  std::size_t bring(const std::vector<WantedImage>& wanted, const Cancellation& cancellation);
  // Removes what the agent has brought and `keep` does not name. What a container still uses stays,
  // and is tried again the next time.
  void keep_only(const std::vector<WantedImage>& keep);

  struct Pulling {
    std::string component;  // empty while none is pulled
    std::string what;       // "pulling IMAGE: what the engine says", for people
  };
  // Any thread.
  [[nodiscard]] Pulling now_pulling() const;

 private:
  // A name of an image that the agent has given it.
  struct Brought {
    std::string engine;  // the program
    std::string name;
    std::string of;  // the name by digest, where this one is a tag
    bool operator==(const Brought&) const = default;
  };

  [[nodiscard]] fs::path record() const { return layout_.root() / "packages" / "images.json"; }
  [[nodiscard]] std::vector<Brought> read() const;
  void write(const std::vector<Brought>& brought) const;
  void remember(const Brought& one) const;
  // Whether it had to be pulled.
  bool bring_one(const ContainerEngine& engine, const WantedImage& wanted,
                 const Cancellation& cancellation);
  void pull(const ContainerEngine& engine, const WantedImage& wanted,
            const Cancellation& cancellation);
  void give_tag(const ContainerEngine& engine, const WantedImage& wanted, const std::string& id,
                const Cancellation& cancellation) const;
  [[nodiscard]] std::map<std::string, std::string> environment_of(const WantedImage& wanted,
                                                                  const RunAs& who) const;
  void require_use(const ContainerEngine& engine, const WantedImage& wanted,
                   ContainerEngine::Expect expect, const Cancellation& cancellation) const;
  // False where it has to stay for now.
  [[nodiscard]] static bool remove(const Brought& one);
  void set_pulling(Pulling pulling);

  Layout layout_;
  ImageSettings settings_;
  LinkBudget& budget_;
  mutable std::mutex mutex_;
  Pulling pulling_;  // guarded by mutex_
};

}  // namespace andon::edge
