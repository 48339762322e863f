@echo off
rem Builds what is needed, quietly, and runs the dti command with the arguments given. "dti test" runs the tests, "dti bench" measures.
setlocal
set "DTI_ROOT=%~dp0"
set DOTNET_NOLOGO=1
set DOTNET_CLI_TELEMETRY_OPTOUT=1

dotnet --list-sdks 2>nul | findstr /b "10." >nul
if errorlevel 1 (
  echo dti needs the .NET 10 SDK, which was not found. 1>&2
  echo Get it from https://dotnet.microsoft.com/download/dotnet/10.0 or with: winget install Microsoft.DotNet.SDK.10 1>&2
  exit /b 1
)

if "%~1"=="test" goto test
if "%~1"=="bench" goto bench

if not exist "%DTI_ROOT%artifacts\published\Release\dti.exe" echo Downloading packages and building Dti, once; this takes a few minutes. 1>&2
dotnet build "%DTI_ROOT%src\Dti.Cli" -c Release -v q --nologo >"%TEMP%\dti-build.log" 2>&1
if errorlevel 1 (
  type "%TEMP%\dti-build.log" 1>&2
  findstr /c:"MSB3021" /c:"MSB3027" "%TEMP%\dti-build.log" >nul && echo A program of this folder is running, such as dti serve. Stop it, and repeat the command. 1>&2
  echo Dti could not be built. 1>&2
  exit /b 1
)
"%DTI_ROOT%artifacts\published\Release\dti.exe" %*
exit /b %errorlevel%

:test
pushd "%DTI_ROOT%"
for /f "tokens=1,*" %%a in ("%*") do set "DTI_TEST_ARGS=%%b"
dotnet run --project eng\Dti.Test -c Release -- %DTI_TEST_ARGS%
set "DTI_EXIT=%errorlevel%"
popd
exit /b %DTI_EXIT%

:bench
for /f "tokens=1,*" %%a in ("%*") do set "DTI_BENCH_ARGS=%%b"
dotnet run --project "%DTI_ROOT%bench\Dti.Bench" -c Release -- speed %DTI_BENCH_ARGS%
exit /b %errorlevel%
