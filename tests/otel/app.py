"""A small WSGI application under OpenTelemetry's own SDK and instrumentation, asked a few times; what it traced and logged is exported as any application's is.

Where to, with which key and which names of attributes: OpenTelemetry's own variables say (OTEL_EXPORTER_OTLP_ENDPOINT, …). Prints what it saw as JSON.
"""

import json
import logging
import threading
import time
import urllib.error
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

complaints = []
seen = {}


class Complaints(logging.Handler):
    """What the SDK says where an export did not go well."""

    def emit(self, record):
        complaints.append(record.getMessage())


class Handler(WSGIRequestHandler):
    """Says nothing, and gives the address as it came, as gunicorn and werkzeug do."""

    def get_environ(self):
        return {**super().get_environ(), "RAW_URI": self.path}

    def log_message(self, *_):
        pass


def application(environ, start_response):
    """Answers, and tells of itself what instrumentation cannot know: the route, the bodies, who it was."""
    span = trace.get_current_span()
    context = span.get_span_context()
    seen[environ["PATH_INFO"]] = {"trace": f"{context.trace_id:032x}", "span": f"{context.span_id:016x}"}
    sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("this one is meant to fail")
    if sent:
        span.set_attribute("http.route", "/v1/vouchers/<code>/redemption")
        span.set_attribute("http.request.body.content", sent)
        span.set_attribute("enduser.id", "u-7")
    with trace.get_tracer("application").start_as_current_span("a step inside"):
        answer = json.dumps({"path": environ["PATH_INFO"], "found": bool(sent)})
    span.add_event("answered", {"http.response.body.content": answer})
    start_response("201 Created" if sent else "404 Not Found", [("Content-Type", "application/json"), ("X-Request-Id", "req-of-the-app")])
    return [answer.encode()]


def ask(server, path, body=None):
    url = f"http://127.0.0.1:{server.server_port}{path}"
    headers = {"Content-Type": "application/json", "X-Api-Key": "key-of-a-customer"}
    try:
        urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers)).read()
    except urllib.error.HTTPError as error:
        error.read()


def serve(spans):
    guarded = OpenTelemetryMiddleware(application, tracer_provider=spans)
    server = make_server("127.0.0.1", 0, guarded, handler_class=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ask(server, "/v1/vouchers/SUMMER-24/redemption?session_token=abc", b'{"amount": 100, "password": "hunter2"}')
    ask(server, "/v1/customers/77")
    ask(server, "/broken")
    server.shutdown()


def log(logs):
    """One record that tells of a request, and one that does not."""
    logger = logs.get_logger("access")
    told = {"http.request.method": "GET", "url.path": "/v1/orders/5", "http.response.status_code": 503, "error.type": "503", "http.route": "/v1/orders/{order}"}
    now = time.time_ns()
    logger.emit(LogRecord(timestamp=now, observed_timestamp=now, severity_number=SeverityNumber.ERROR, body="GET /v1/orders/5 503", attributes=told))
    logger.emit(LogRecord(timestamp=now, observed_timestamp=now, severity_number=SeverityNumber.INFO, body="the cache is warm"))


def main():
    logging.getLogger("opentelemetry").addHandler(Complaints())
    spans, logs = TracerProvider(), LoggerProvider()
    trace.set_tracer_provider(spans)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    serve(spans)
    log(logs)
    spans.shutdown()
    logs.shutdown()
    print(json.dumps({"seen": seen, "complaints": complaints}))


main()
