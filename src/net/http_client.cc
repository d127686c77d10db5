// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <thread>
#include <unordered_map>
#include <vector>

#include "core/check.h"
#include "core/mutex.h"
#include "net/body_stream.h"
#include "net/curl_transfer_internal.h"
#include "net/pools.h"

namespace nexa::net {

namespace {

void start_curl_once() {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    NEXA_CHECK(started == CURLE_OK);
}

struct EasyDeleter {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

struct MultiDeleter {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

/// A transfer with its handle, and who wants to know its end.
struct Job {
    Job(HttpRequest request, const HttpClientOptions& options)
        : easy(curl_easy_init()), transfer(easy.get(), std::move(request), options) {}

    const Easy easy;
    Transfer transfer;
    std::function<void(Result<HttpResponse>)> on_done;  ///< called once, on the engine's thread
};
using JobPtr = std::shared_ptr<Job>;  // the waiting coroutine and the engine may each go first

}  // namespace

/// Drives all transfers on one thread.
class HttpClient::Engine : public std::enable_shared_from_this<Engine> {
public:
    explicit Engine(const HttpClientOptions& options) : options_(options) {
        start_curl_once();
        multi_.reset(curl_multi_init());
        NEXA_CHECK(multi_ != nullptr);
        curl_multi_setopt(
            multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options.connections_max)
        );
        curl_multi_setopt(
            multi_.get(),
            CURLMOPT_MAX_HOST_CONNECTIONS,
            static_cast<long>(options.connections_per_host_max)
        );
        thread_ = std::thread([this] { run(); });
    }
    ~Engine() { stop(); }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    Status start(JobPtr job);
    /// Sends once and follows nothing.
    static Task<HttpStream> open(std::shared_ptr<Engine> self, HttpRequest request);
    /// Ends a transfer, if it runs. Thread-safe.
    void cancel(JobPtr job) { command(Action::kCancel, std::move(job)); }
    /// Lets a paused transfer go on. Thread-safe.
    void resume(JobPtr job) { command(Action::kResume, std::move(job)); }
    void stop();

private:
    enum class Action : std::uint8_t { kStart, kCancel, kResume };
    struct Command {
        Action action;
        JobPtr job;
    };

    void command(Action action, JobPtr job);
    void run();
    bool obey();
    void begin(const JobPtr& job);
    void end(CURL* easy, CURLcode code);
    void drop(const JobPtr& job);
    void conclude(const JobPtr& job, Result<HttpResponse> result);

    const HttpClientOptions& options_;
    std::unique_ptr<CURLM, MultiDeleter> multi_;
    std::unordered_map<CURL*, JobPtr> running_;  // the thread's own
    Mutex mutex_;
    std::vector<Command> commands_ NEXA_GUARDED_BY(mutex_);
    std::size_t transfers_ NEXA_GUARDED_BY(mutex_) = 0;
    bool stopped_ NEXA_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

Status HttpClient::Engine::start(JobPtr job) {
    if (!job->easy) {
        return Error::resource_exhausted("out of memory");
    }
    TRY_STATUS(job->transfer.prepare());
    {
        const Lock lock(mutex_);
        if (stopped_) {
            return Error::cancelled("the HTTP client is stopped");
        }
        if (transfers_ >= options_.transfers_max) {
            return Error::resource_exhausted("{} requests are under way already", transfers_);
        }
        ++transfers_;
        commands_.push_back({.action = Action::kStart, .job = std::move(job)});
    }
    curl_multi_wakeup(multi_.get());
    return {};
}

void HttpClient::Engine::command(Action action, JobPtr job) {
    {
        const Lock lock(mutex_);
        if (stopped_) {
            return;
        }
        commands_.push_back({.action = action, .job = std::move(job)});
    }
    curl_multi_wakeup(multi_.get());
}

void HttpClient::Engine::stop() {
    {
        const Lock lock(mutex_);
        if (stopped_) {
            return;
        }
        stopped_ = true;
    }
    curl_multi_wakeup(multi_.get());
    thread_.join();
}

/// False once the engine is to stop.
bool HttpClient::Engine::obey() {
    std::vector<Command> commands;
    bool stopping = false;
    {
        const Lock lock(mutex_);
        commands.swap(commands_);
        stopping = stopped_;
    }
    for (const Command& order : commands) {
        switch (order.action) {
            case Action::kStart:
                begin(order.job);
                break;
            case Action::kCancel:
                drop(order.job);
                break;
            case Action::kResume:
                if (running_.contains(order.job->transfer.easy())) {
                    curl_easy_pause(order.job->transfer.easy(), CURLPAUSE_CONT);
                }
                break;
        }
    }
    return !stopping;
}

void HttpClient::Engine::begin(const JobPtr& job) {
    CURL* easy = job->transfer.easy();
    running_.emplace(easy, job);
    if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) {
        running_.erase(easy);
        conclude(job, Error::resource_exhausted("out of memory"));
    }
}

void HttpClient::Engine::conclude(const JobPtr& job, Result<HttpResponse> result) {
    {
        const Lock lock(mutex_);
        --transfers_;
    }
    job->on_done(std::move(result));
}

void HttpClient::Engine::drop(const JobPtr& job) {
    CURL* easy = job->transfer.easy();
    if (running_.erase(easy) > 0) {
        curl_multi_remove_handle(multi_.get(), easy);
        conclude(job, Error::cancelled("the request was cancelled"));
    }
}

void HttpClient::Engine::end(CURL* easy, CURLcode code) {
    const auto found = running_.find(easy);
    NEXA_CHECK(found != running_.end());
    const JobPtr job = found->second;
    running_.erase(found);
    Result<HttpResponse> result = job->transfer.finish(code);
    curl_multi_remove_handle(multi_.get(), easy);
    conclude(job, std::move(result));
}

void HttpClient::Engine::run() {
    constexpr int kPollMilliseconds = 1'000;
    while (obey()) {
        int count = 0;
        curl_multi_perform(multi_.get(), &count);
        while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &count)) {
            if (message->msg == CURLMSG_DONE) {
                end(message->easy_handle, message->data.result);
            }
        }
        curl_multi_poll(multi_.get(), nullptr, 0, kPollMilliseconds, nullptr);
    }
    while (!running_.empty()) {
        const JobPtr job = running_.begin()->second;
        drop(job);
    }
}

namespace {

/// The reader's end of a streamed reply. When it goes, so does the transfer.
class ReadEnd final : public BodySource {
public:
    ReadEnd(std::shared_ptr<BodyStream> stream, std::function<void()> end_transfer)
        : stream_(std::move(stream)), end_transfer_(std::move(end_transfer)) {}
    ~ReadEnd() override { end(); }
    Task<std::string> read() override { return stream_->read(); }
    void close() override { end(); }

private:
    void end() {
        stream_->close();
        end_transfer_();
    }

    std::shared_ptr<BodyStream> stream_;
    std::function<void()> end_transfer_;
};

/// Ends the transfer if its waiter leaves first.
template <class Engine>
class CancelOnExit {
public:
    CancelOnExit(std::shared_ptr<Engine> engine, JobPtr job)
        : engine_(std::move(engine)), job_(std::move(job)) {}
    CancelOnExit(const CancelOnExit&) = delete;
    CancelOnExit& operator=(const CancelOnExit&) = delete;
    ~CancelOnExit() {
        if (job_) {
            engine_->cancel(job_);
        }
    }
    void disarm() { job_ = nullptr; }

private:
    std::shared_ptr<Engine> engine_;
    JobPtr job_;
};

}  // namespace

HttpClient::HttpClient(HttpClientOptions options, const Clock& clock, Random& random)
    : options_(std::move(options)),
      clock_(clock),
      random_(random),
      engine_(std::make_shared<Engine>(options_)) {}

HttpClient::~HttpClient() {
    stop();
}

void HttpClient::stop() {
    engine_->stop();
}

Task<HttpResponse> HttpClient::send(HttpRequest request) {
    Backoff backoff(options_.retry, random_, clock_.steady_now());
    for (int followed = 0;;) {
        const auto job = std::make_shared<Job>(request, options_);
        CancelOnExit<Engine> guard(engine_, job);
        Result<HttpResponse> result =
            co_await await_callback<HttpResponse>([engine = engine_, job](Done<HttpResponse> done) {
                job->on_done = done;
                const Status started = engine->start(job);
                if (!started) {
                    done(started.error());
                }
            });
        // A wait that was cancelled leaves a transfer that still runs: the guard ends it.
        if (result || result.error().code != ErrorCode::kCancelled) {
            guard.disarm();
        }
        if (result) {
            CO_TRY(auto next, redirected(request, *result, followed, options_));
            if (next) {
                request = *std::move(next);
                ++followed;
                continue;
            }
        }
        const auto pause = pause_before_retry(request, result, backoff, clock_);
        if (!pause) {
            co_return result;
        }
        CO_TRY_STATUS(co_await sleep_for(*pause));
    }
}

Task<HttpStream> HttpClient::open(HttpRequest request) {
    for (int followed = 0;; ++followed) {
        CO_TRY(HttpStream stream, co_await Engine::open(engine_, request));
        CO_TRY(auto next, redirected(request, stream.head, followed, options_));
        if (!next) {
            co_return stream;
        }
        request = *std::move(next);
    }
}

Task<HttpStream> HttpClient::Engine::open(std::shared_ptr<Engine> self, HttpRequest request) {
    const auto job = std::make_shared<Job>(std::move(request), self->options_);
    const std::weak_ptr<Job> weak_job = job;
    const std::weak_ptr<Engine> weak_engine = self;
    const auto stream = std::make_shared<BodyStream>(BodyStreamOptions{
        .on_room =
            [weak_engine, weak_job] {
                const auto engine = weak_engine.lock();
                const auto running = weak_job.lock();
                if (engine && running) {
                    engine->resume(running);
                }
            },
    });
    CancelOnExit<Engine> guard(self, job);
    job->transfer.on_body = [stream](const HttpResponse&, std::string_view bytes) {
        const Status taken = stream->try_write(bytes);
        if (taken) {
            return Transfer::Taken::kAll;
        }
        return taken.error().code == ErrorCode::kResourceExhausted ? Transfer::Taken::kPause
                                                                   : Transfer::Taken::kAbort;
    };
    CO_TRY(
        HttpResponse head,
        co_await await_callback<HttpResponse>([engine = self, job, stream](Done<HttpResponse> done
                                              ) {
            job->transfer.on_head = [done](const HttpResponse& response) { done(response); };
            job->on_done = [done, stream](Result<HttpResponse> result) {
                if (result) {
                    stream->finish();
                    return;
                }
                stream->fail(result.error());
                done(std::move(result));
            };
            const Status started = engine->start(job);
            if (!started) {
                done(started.error());
            }
        })
    );
    guard.disarm();
    const auto end_transfer = [weak_engine, weak_job] {
        const auto engine = weak_engine.lock();
        const auto running = weak_job.lock();
        if (engine && running) {
            engine->cancel(running);
        }
    };
    co_return HttpStream{
        .head = std::move(head), .body = std::make_shared<ReadEnd>(stream, end_transfer)
    };
}

namespace blocking {

struct HttpClient::Handle {
    Easy easy{curl_easy_init()};
};

HttpClient::HttpClient(HttpClientOptions options, RetryTools tools)
    : options_(std::move(options)), tools_(tools) {
    start_curl_once();
    handle_ = std::make_unique<Handle>();
    NEXA_CHECK(handle_->easy != nullptr);
}

HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& wanted, const BodySink& sink) {
    NEXA_CHECK_NOT_ON_IO();
    Backoff backoff(options_.retry, tools_.random, tools_.clock.steady_now());
    HttpRequest request = wanted;
    for (int followed = 0;;) {
        curl_easy_reset(handle_->easy.get());  // keeps the connection
        Transfer transfer(handle_->easy.get(), request, options_);
        bool sunk = false;
        Status sink_status;
        std::string refusal_body;
        if (sink) {
            transfer.on_body = [&](const HttpResponse& head, std::string_view bytes) {
                if (!head.is_success()) {
                    refusal_body += bytes;
                    return Transfer::Taken::kAll;
                }
                sunk = true;
                sink_status = sink(bytes);
                return sink_status ? Transfer::Taken::kAll : Transfer::Taken::kAbort;
            };
        }
        TRY_STATUS(transfer.prepare());
        Result<HttpResponse> result = transfer.finish(curl_easy_perform(transfer.easy()));
        TRY_STATUS(sink_status);
        if (result && sink) {
            result->body = std::move(refusal_body);
        }
        if (result && !sunk) {
            TRY(auto next, redirected(request, *result, followed, options_));
            if (next) {
                request = *std::move(next);
                ++followed;
                continue;
            }
        }
        const auto pause = pause_before_retry(request, result, backoff, tools_.clock);
        if (!pause || sunk) {
            return result;
        }
        TRY_STATUS(tools_.sleeper.sleep_for(*pause));
    }
}

}  // namespace blocking

}  // namespace nexa::net
