"""Addresses that follow from `repository` and `site_branch` in _config.yml: links, notebooks, what pip installs."""


def notebook(docname):
    """Where a chapter's notebook lies in the site."""
    return f"notebooks/{docname}.ipynb"


def colab(config, docname):
    """Where Colab opens a chapter's notebook: on the branch that holds the built site."""
    repository = config.html_theme_options["repository_url"]
    there = repository.replace("https://github.com/", "https://colab.research.google.com/github/")
    return f"{there}/blob/{config.site_branch}/{notebook(docname)}"


def source(config, path):
    """A file of the repository, to be read."""
    options = config.html_theme_options
    return f"{options['repository_url']}/blob/{options['repository_branch']}/{path}"


def archive(config):
    """The repository as one file that pip installs; no git is needed."""
    options = config.html_theme_options
    return f"{options['repository_url']}/archive/refs/heads/{options['repository_branch']}.zip"
