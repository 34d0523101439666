// SPDX-License-Identifier: Apache-2.0
// Empties the upload spool into the bucket, from a thread of its own, oldest first; tries again
// with growing pauses for as long as it takes.
#pragma once

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

  // `bucket_name` is asked for each upload and called on the uploader's thread.
  Uploader(UploadSpool& spool, std::unique_ptr<Bucket> bucket,
           std::function<std::string()> bucket_name, Pauses pauses);
  Uploader(UploadSpool& spool, std::unique_ptr<Bucket> bucket,
           std::function<std::string()> bucket_name)
      : Uploader(spool, std::move(bucket), std::move(bucket_name), Pauses{}) {}
  Uploader(const Uploader&) = delete;
  Uploader& operator=(const Uploader&) = delete;
  // Gives up at once; what was not uploaded stays in the spool.
  ~Uploader();

 private:
  void run();
  void upload(const Upload& upload);

  UploadSpool& spool_;
  std::unique_ptr<Bucket> bucket_;
  std::function<std::string()> bucket_name_;
  Pauses pauses_;
  std::thread thread_;
};

}  // namespace andon::inspect
