// SPDX-License-Identifier: Apache-2.0
#include "cli/registry/report_files.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::cli {
namespace {

using testing::HasSubstr;

const std::string kJpeg = "\xFF\xD8\xFF\xE0 and the rest";

class ReportFiles : public testing::Test {
 protected:
  base::fs::path write(const std::string& place, const std::string& content) {
    base::make_directories((folder_.path() / place).parent_path());
    base::write_file_atomically(folder_.path() / place, content);
    return folder_.path() / place;
  }
  base::fs::path report_of(const base::json::array& worst) {
    return write("report.json", base::to_text(base::json::object{{"worstImages", worst}}));
  }
  // The message of the refusal.
  std::string refusal(const base::fs::path& report, base::ErrorCode code) {
    try {
      (void)pictures_of_report(report);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), code) << error.message();
      return error.message();
    }
    ADD_FAILURE() << "it was taken";
    return "";
  }
  std::string refusal_of(const std::string& place, base::ErrorCode code) {
    return refusal(report_of({base::json::object{{"picture", place}}}), code);
  }

  base::TemporaryDirectory folder_;
};

TEST_F(ReportFiles, ArePicturesThatItNamesBesideIt) {
  write("pictures/1.jpg", kJpeg);
  write("more/2.png", "\x89PNG\r\n\x1A\n and the rest");
  const auto pictures = pictures_of_report(
      report_of({base::json::object{{"fileName", "a.bmp"}, {"picture", "pictures/1.jpg"}},
                 base::json::object{{"fileName", "not-kept.bmp"}},
                 base::json::object{{"fileName", "b.png"}, {"picture", "more/2.png"}}}));
  ASSERT_EQ(pictures.size(), 2U);
  EXPECT_EQ(pictures[0].place, "pictures/1.jpg");
  EXPECT_EQ(base::read_file(pictures[0].path), kJpeg);
  EXPECT_EQ(pictures[1].place, "more/2.png");
}

TEST_F(ReportFiles, AreNoneOfAReportWithoutPictures) {
  EXPECT_TRUE(pictures_of_report(write("report.json", R"({"title": "of a trainer"})")).empty());
  EXPECT_TRUE(pictures_of_report(report_of({"of another kind", base::json::object{{"picture", 7}}}))
                  .empty());
}

TEST_F(ReportFiles, ThatAreMissingAreNamedWithWhatToDo) {
  const std::string told = refusal_of("pictures/1.jpg", base::ErrorCode::not_found);
  EXPECT_THAT(told, HasSubstr("report.json names the picture 'pictures/1.jpg'"));
  EXPECT_THAT(told, HasSubstr("andon model eval --report"));
}

TEST_F(ReportFiles, LeaveNotTheReportsFolder) {
  write("outside.jpg", kJpeg);
  write("pictures/1.jpg", kJpeg);
  for (const std::string& place :
       {std::string("../outside.jpg"), std::string("pictures/../outside.jpg"), std::string(""),
        (folder_.path() / "outside.jpg").string(), std::string("pictures/.hidden.jpg")}) {
    EXPECT_THAT(refusal_of(place, base::ErrorCode::invalid_argument),
                HasSubstr("not below its own folder"))
        << place;
  }
}

TEST_F(ReportFiles, AreJpegOrPngOfABoundedSizeAndNumber) {
  write("notes.jpg", "a secret of somebody's");
  EXPECT_THAT(refusal_of("notes.jpg", base::ErrorCode::invalid_argument),
              HasSubstr("neither a JPEG nor a PNG"));
  write("large.jpg", kJpeg + std::string(kMostReportPictureBytes, 'x'));
  EXPECT_THAT(refusal_of("large.jpg", base::ErrorCode::invalid_argument),
              HasSubstr("larger than 8.4 MB"));
  write("1.jpg", kJpeg);
  base::json::array many;
  for (std::size_t i = 0; i < kMostReportPictures; ++i) {
    many.push_back(base::json::object{{"picture", "1.jpg"}});
  }
  EXPECT_EQ(pictures_of_report(report_of(many)).size(), kMostReportPictures);
  many.push_back(base::json::object{{"picture", "1.jpg"}});
  EXPECT_THAT(refusal(report_of(many), base::ErrorCode::invalid_argument),
              HasSubstr("one more than the 50"));
}

TEST_F(ReportFiles, AreOfAReportThatIsJson) {
  EXPECT_THAT(refusal(write("report.json", "mAP 0.9"), base::ErrorCode::invalid_argument),
              HasSubstr("report.json"));
}

}  // namespace
}  // namespace andon::cli
