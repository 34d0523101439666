// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>

#include "base/error/error.hpp"
#include "inspect/results/result.hpp"
#include "inspect/results/result_sink.hpp"

namespace andon::inspect {
namespace {

std::string message(const std::string& name, int detections) {
  Inspection inspection;
  inspection.timestamp = base::from_epoch_millis(1'795'341'600'000);
  inspection.image_name = name;
  inspection.size = {64, 48};
  for (int i = 0; i < detections; ++i) {
    inspection.detections.push_back({{i, 0.5F, {1, 2, 3, 4}}, i == 0 ? "scratch" : "dent, deep"});
  }
  return to_message(inspection,
                    {.thing = "line-1", .component = {}, .model = {"M", "2"}, .model_sha256 = ""});
}

class CsvSinkTest : public testing::Test {
 protected:
  [[nodiscard]] std::string rows() const {
    const std::string content = base::read_file(folder_.path() / "results.csv");
    return content.substr(content.find('\n') + 1);
  }
  base::TemporaryDirectory folder_;
};

TEST_F(CsvSinkTest, WritesARowADetectionAndOneForAnImageWithoutAny) {
  CsvSink sink(folder_.path());
  sink.publish(message("a.jpg", 2));
  sink.publish(message("b, \"c\".jpg", 0));
  EXPECT_EQ(rows(),
            "2026-11-22T10:00:00.000Z,a.jpg,line-1,2,64,48,0,scratch,0.5,1.0,2.0,3.0,4.0,\n"
            "2026-11-22T10:00:00.000Z,a.jpg,line-1,2,64,48,1,\"dent, deep\",0.5,1.0,2.0,3.0,4.0,\n"
            "2026-11-22T10:00:00.000Z,\"b, \"\"c\"\".jpg\",line-1,2,64,48,,,,,,,,\n");
}

TEST_F(CsvSinkTest, ReplacesTheLastRowsWhenTheirMessageComesAgainAfterACrash) {
  std::string whole;
  {
    CsvSink sink(folder_.path());
    sink.publish(message("a.jpg", 1));
    sink.publish(message("b, c.jpg", 3));
    whole = rows();
  }
  const base::fs::path file = folder_.path() / "results.csv";
  const std::string content = base::read_file(file);
  for (const std::size_t kept : {content.size(), content.size() - 1, content.size() - 70}) {
    std::ofstream(file) << content.substr(0, kept);
    CsvSink sink(folder_.path());
    sink.publish(message("b, c.jpg", 3));
    EXPECT_EQ(rows(), whole) << kept;
  }
}

TEST_F(CsvSinkTest, RefusesWhatIsNoResult) {
  EXPECT_THROW((void)to_csv_rows("{}"), base::Error);
  EXPECT_THROW((void)to_csv_rows("[1"), base::Error);
}

}  // namespace
}  // namespace andon::inspect
