// SPDX-License-Identifier: Apache-2.0
// Empties the upload spool into the bucket, from a thread of its own, oldest first; tries again
// with growing pauses for as long as it takes. Before each picture the device's link is asked for.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "inspect/uploads/bucket.hpp"
#include "inspect/uploads/upload_spool.hpp"

namespace andon::inspect {

class Uploader {
 public:
  struct Pauses {
    std::chrono::milliseconds first{1'000};
    std::chrono::milliseconds longest{300'000};
  };

  struct Parts {
    std::unique_ptr<Bucket> bucket;
    // Asked for each upload. This and the next are called on the uploader's thread.
    std::function<std::string()> bucket_name;
    // 0: so many bytes may go over the link, else when to ask again. Throws base::Error.
    std::function<std::chrono::milliseconds(std::uint64_t bytes)> reserve_link;
  };

  Uploader(UploadSpool& spool, Parts parts, Pauses pauses);
  Uploader(UploadSpool& spool, Parts parts) : Uploader(spool, std::move(parts), Pauses{}) {}
  Uploader(const Uploader&) = delete;
  Uploader& operator=(const Uploader&) = delete;
  // Gives up at once; what was not uploaded stays in the spool.
  ~Uploader();

 private:
  void run();
  void upload(const Upload& upload);

  UploadSpool& spool_;
  Parts parts_;
  Pauses pauses_;
  std::thread thread_;
};

}  // namespace andon::inspect
