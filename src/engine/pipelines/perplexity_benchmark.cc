// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "core/json_writer.h"
#include "data/statistics.h"
#include "engine/pipelines/benchmarks.h"
#include "engine/pipelines/text_likelihood.h"

namespace nexa::pipelines {

namespace {

using evaluation::ChunkLikelihood;

/// Enough for batches of like length, and bounded however large the split is.
constexpr std::size_t kBlockTokens = std::size_t{1} << 18U;
constexpr std::int64_t kHistogramBins = 30;
constexpr std::size_t kBeginningTokens = 16;

struct Block {
    std::vector<TextChunk> chunks;
    std::vector<std::string> ids;  ///< of each chunk
    std::size_t tokens = 0;
    bool is_last = false;
};

double loss_of(const ChunkLikelihood& chunk) {
    return chunk.nats / static_cast<double>(chunk.tokens);
}

/// `beginning`: of the chunk's text, so that a person, or a program that goes on from there, knows
/// what it was.
std::string to_line(
    const std::string& id, std::string_view beginning, const ChunkLikelihood& chunk
) {
    JsonWriter writer;
    writer.begin_object();
    writer.key("id");
    writer.string(id);
    writer.key("prompt");
    writer.string(beginning);
    writer.key("tokens");
    writer.whole(chunk.tokens);
    writer.key("bytes");
    writer.whole(chunk.bytes);
    writer.key("nats");
    writer.real(chunk.nats);
    writer.key("loss");
    writer.real(loss_of(chunk));
    writer.end_object();
    return writer.take();
}

class Perplexity {
public:
    explicit Perplexity(const BenchmarkWork& work) : work_(work) {}

    Status run() {
        for (Block block; !block.is_last;) {
            TRY(block, read_block());
            TRY(const auto measured, measure_chunks(work_.model.decoder, block.chunks, [this] {
                    return work_.job.cancel.cancelled();
                }));
            for (std::size_t i = 0; i < measured.size(); ++i) {
                TRY_STATUS(count(block, i, measured[i]));
            }
            work_.job.events.progress({
                .phase = "evaluate",
                .done = rows_,
                .total = block.is_last ? rows_ : std::max(rows_, work_.rows.rows_total()),
                .unit = "rows",
            });
            TRY_STATUS(work_.job.cancel.check());
        }
        if (sum_.chunks() == 0) {
            return Error::invalid_argument("the test split holds no text to predict")
                .at("dataset_uri")
                .hint("every row is empty or a single token");
        }
        return {};
    }

    Result<BenchmarkOutcome> finish() {
        BenchmarkOutcome outcome{.samples = sum_.chunks(), .usage = usage_};
        const evaluation::LikelihoodScores scores = sum_.scores(work_.spec.seed);
        const auto count = [](std::string name, std::int64_t value, std::string about) {
            return evaluation::ReportScore{
                .name = std::move(name),
                .value = static_cast<double>(value),
                .interval = {},
                .about = std::move(about),
            };
        };
        outcome.report.scores = {
            {.name = "bits_per_byte",
             .value = scores.bits_per_byte.value,
             .interval = scores.bits_per_byte.interval,
             .about = "what a byte of text costs; comparable between all models"},
            {.name = "loss",
             .value = scores.loss.value,
             .interval = scores.loss.interval,
             .about = "nats a token"},
            {.name = "perplexity",
             .value = scores.perplexity.value,
             .interval = scores.perplexity.interval,
             .about = "e to the loss; comparable between models of one tokenizer"},
            count("samples", sum_.chunks(), "chunks of text, each read by itself"),
            count("tokens", scores.tokens, "predicted; those without anything before them are not"),
            count("bytes", scores.bytes, "of text that these tokens stand for"),
        };
        TRY(auto histogram, data::histogram(losses_, kHistogramBins));
        outcome.report.histograms.push_back({
            .title = "Loss of the chunks",
            .unit = "nats a token",
            .histogram = std::move(histogram),
        });
        outcome.report.samples_title = "Text that surprised the model most";
        for (Surprise& surprise : most_surprising_) {
            outcome.report.samples.push_back({
                .id = std::move(surprise.id),
                .prompt = std::move(surprise.text),
                .expected = "",
                .got = "",
                .note = fmt::format("loss {:.3f}", surprise.loss),
            });
        }
        return outcome;
    }

private:
    struct Surprise {
        std::string id;
        std::string text;
        double loss = 0;
    };

    Result<Block> read_block() {
        Block block;
        while (block.tokens < kBlockTokens) {
            TRY(const auto row, work_.rows.next());
            if (!row) {
                block.is_last = true;
                break;
            }
            ++rows_;
            const std::string id = fmt::format("{}:{}", row->file, row->number);
            auto chunks =
                chunks_of(row->row, work_.model.codec, work_.model.decoder.config().max_positions);
            if (!chunks) {
                return std::move(chunks).error().at(id);
            }
            for (std::size_t part = 0; part < chunks->size(); ++part) {
                block.tokens += (*chunks)[part].ids.size();
                block.ids.push_back(chunks->size() == 1 ? id : fmt::format("{}#{}", id, part + 1));
                block.chunks.push_back(std::move((*chunks)[part]));
            }
        }
        return block;
    }

    Status count(const Block& block, std::size_t i, const ChunkLikelihood& measured) {
        if (!std::isfinite(measured.nats)) {
            return Error::invalid_argument("the model's loss on {} is not a number", block.ids[i])
                .at("model_id")
                .hint("its weights hold NaN or infinity: take an earlier checkpoint");
        }
        usage_.input_tokens += static_cast<std::int64_t>(block.chunks[i].ids.size());
        if (measured.bytes == 0) {
            return {};
        }
        sum_.add(measured);
        losses_.push_back(loss_of(measured));
        ++usage_.evaluated_samples;
        TRY_STATUS(remember(block, i, losses_.back()));
        const std::span<const std::int32_t> ids = block.chunks[i].ids;
        TRY(const std::string beginning,
            work_.model.codec.decode(ids.first(std::min(ids.size(), kBeginningTokens))));
        return work_.items.add(to_line(block.ids[i], beginning, measured));
    }

    /// Keeps the most surprising chunks, the first of equals first.
    Status remember(const Block& block, std::size_t i, double loss) {
        constexpr std::size_t kKept = 20;
        if (most_surprising_.size() == kKept && most_surprising_.back().loss >= loss) {
            return {};
        }
        TRY(std::string text, work_.model.codec.decode(block.chunks[i].ids));
        const auto place = std::ranges::find_if(most_surprising_, [&](const Surprise& kept) {
            return kept.loss < loss;
        });
        most_surprising_.insert(place, {.id = block.ids[i], .text = std::move(text), .loss = loss});
        most_surprising_.resize(std::min(most_surprising_.size(), kKept));
        return {};
    }

    const BenchmarkWork& work_;
    std::int64_t rows_ = 0;
    evaluation::LikelihoodSum sum_;
    std::vector<double> losses_;
    std::vector<Surprise> most_surprising_;
    protocol::Usage usage_;
};

}  // namespace

Result<BenchmarkOutcome> run_perplexity(const BenchmarkWork& work) {
    Perplexity perplexity(work);
    TRY_STATUS(perplexity.run());
    return perplexity.finish();
}

}  // namespace nexa::pipelines
