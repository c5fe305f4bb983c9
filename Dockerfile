FROM python:3.13-slim
WORKDIR /src
COPY pyproject.toml hatch_build.py constraints.txt README.md LICENSE ./
COPY backprop_playground backprop_playground
COPY app app
COPY engine engine
COPY templates templates
COPY static static
RUN pip install --no-cache-dir -c constraints.txt '.[redis]' && useradd --system --create-home playground
WORKDIR /home/playground
USER playground
ENV PLAYGROUND_HOST=0.0.0.0 PLAYGROUND_DATA=/home/playground/data
EXPOSE 8000
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz')"]
CMD ["backprop-playground"]
