# Two stages: the first installs, the second only runs, as a user without rights.
FROM python:3.13-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
COPY requirements.txt /build/
RUN uv venv /venv && uv pip install --no-cache --compile-bytecode --python /venv/bin/python -r /build/requirements.txt

FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin contrivance \
    && install -d -m 0700 -o contrivance -g contrivance /data
COPY --from=build /venv /venv
WORKDIR /app
COPY app.py serve.py manage.py ./
COPY .streamlit .streamlit
COPY api api
COPY core core
COPY db db
COPY pages pages
RUN /venv/bin/python -m compileall -q /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp CONTRIVANCE_DATA=/data
USER contrivance
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/api/health/live', timeout=2)"]
ENTRYPOINT ["tini", "--"]
CMD ["python", "serve.py"]
