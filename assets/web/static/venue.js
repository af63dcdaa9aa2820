// The venue page: uploading a file with progress, and following the jobs that run.

const stages = {
  queued: 'Waiting for its turn',
  read: 'Reading the file',
  count: 'Counting points',
  distribute: 'Sorting points into place',
  sample: 'Choosing points for each level',
  write: 'Writing tiles',
  pictures: 'Drawing pictures',
  publish: 'Publishing',
  done: 'Done',
};

const megabytes = (bytes) => (bytes < 1e7 ? (bytes / 1e6).toFixed(1) : Math.round(bytes / 1e6));

const uploading = () => document.getElementById('upload-progress')?.hidden === false;

function follow(box) {
  const bar = box.querySelector('progress');
  const stage = box.querySelector('.job-stage');
  const percent = box.querySelector('.job-percent');
  const show = (job) => {
    const now = Math.floor(job.progress * 100);
    bar.value = now;
    percent.textContent = now;
    stage.textContent = stages[job.stage] ?? job.stage;
  };
  stage.textContent = stages[stage.textContent] ?? stage.textContent;
  const ask = async () => {
    try {
      const answer = await fetch(`/api/jobs/${encodeURIComponent(box.dataset.job)}`);
      if (answer.ok) {
        const job = await answer.json();
        show(job);
        // A reload would break off an upload that is under way; its own end reloads the page.
        if ((job.state === 'done' || job.state === 'failed') && !uploading()) {
          location.reload();
          return;
        }
      }
    } catch {
      stage.textContent = 'The service does not answer; trying again';
    }
    setTimeout(ask, 1000);
  };
  ask();
}

for (const box of document.querySelectorAll('.job')) follow(box);

// "Try again" without leaving the page, which would break off an upload that is under way.
function retry(form) {
  const button = form.querySelector('button');
  const status = form.parentElement.querySelector('.retry-status');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const answer = await fetch(`/api/jobs/${encodeURIComponent(form.dataset.job)}/retry`, { method: 'POST' });
      const error = answer.ok ? null : (await answer.json().catch(() => null))?.error;
      // Somebody else may have started it: the page shows where it stands.
      if (answer.ok || error?.code === 'job_not_failed') {
        if (!uploading()) location.reload();
        else status.textContent = 'Started again. The page shows the progress when the upload is done.';
        return;
      }
      status.textContent = [error?.message ?? `The service answered ${answer.status}.`, error?.hint].filter(Boolean).join(' ');
    } catch {
      status.textContent = 'The service does not answer. Check that it runs, then try again.';
    }
    button.disabled = false;
  });
}

for (const form of document.querySelectorAll('form.retry')) retry(form);

function upload(form) {
  const box = document.getElementById('upload-progress');
  const bar = box.querySelector('progress');
  const text = document.getElementById('upload-text');
  const fault = document.getElementById('upload-error');
  const cancel = document.getElementById('upload-cancel');
  const button = form.querySelector('button');

  const end = () => {
    button.disabled = false;
    box.hidden = true;
  };
  const fail = (message, hint = '') => {
    end();
    fault.replaceChildren();
    for (const line of [message, hint].filter(Boolean)) {
      const p = document.createElement('p');
      p.textContent = line;
      fault.append(p);
    }
    fault.hidden = false;
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const [file] = form.elements.file.files;
    if (!file) return;
    fault.hidden = true;
    box.hidden = false;
    bar.value = 0;
    text.textContent = `Uploading ${file.name}`;
    button.disabled = true;

    // fetch tells nothing of how much was sent.
    const request = new XMLHttpRequest();
    const overrides = new URLSearchParams(['up', 'unit', 'crs'].map((name) => [name, form.elements[name].value]).filter(([, value]) => value));
    request.open('PUT', `/api/venues/${encodeURIComponent(form.dataset.venue)}/uploads/${encodeURIComponent(file.name)}?${overrides}`);
    request.responseType = 'json';
    request.upload.onprogress = ({ loaded, total }) => {
      bar.value = total ? (100 * loaded) / total : 0;
      text.textContent = loaded < total ? `Uploading ${file.name}: ${megabytes(loaded)} of ${megabytes(total)} MB` : 'Checking the file';
    };
    request.onload = () => {
      if (request.status === 202) {
        location.reload();
        return;
      }
      const error = request.response?.error;
      fail(error?.message ?? `The service answered ${request.status}.`, error?.hint);
    };
    request.onerror = () => fail('The upload broke off.', 'Check that the service runs, then upload the file again.');
    request.onabort = end;
    cancel.onclick = () => request.abort();
    request.send(file);
  });
}

const form = document.getElementById('upload');
if (form) upload(form);

// Adding a picture to the venue, and removing one.
async function said(answer) {
  const error = (await answer.json().catch(() => null))?.error;
  return [error?.message ?? `The service answered ${answer.status}.`, error?.hint].filter(Boolean).join(' ');
}

const pictureForm = document.getElementById('add-picture');
const pictureStatus = document.getElementById('picture-status');

async function addPicture(file) {
  const button = pictureForm.querySelector('button');
  button.disabled = true;
  pictureStatus.textContent = 'Uploading';
  try {
    const caption = new URLSearchParams({ caption: pictureForm.elements.caption.value });
    const address = `/api/venues/${encodeURIComponent(pictureForm.dataset.venue)}/pictures/${encodeURIComponent(file.name)}?${caption}`;
    const answer = await fetch(address, { method: 'PUT', body: file });
    if (answer.ok) {
      location.reload();
      return;
    }
    pictureStatus.textContent = await said(answer);
  } catch {
    pictureStatus.textContent = 'The upload broke off. Check that the service runs, then add the picture again.';
  }
  button.disabled = false;
}

pictureForm?.addEventListener('submit', (event) => {
  event.preventDefault();
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = 'image/jpeg,image/png';
  input.addEventListener('change', () => {
    if (input.files[0]) addPicture(input.files[0]);
  });
  input.click();
});

for (const button of document.querySelectorAll('.picture-remove')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    if (!confirm('Remove this picture from the venue?')) return;
    const answer = await fetch(button.dataset.picture, { method: 'DELETE' }).catch(() => null);
    if (answer?.ok) location.reload();
    else alert(answer ? await said(answer) : 'The service does not answer.');
  });
}

// While there is no web viewer: how far its build is or why it failed, and the button when it is ready.
if (document.querySelector('.web-building')) {
  const look = async () => {
    try {
      const answer = await fetch(location.href);
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (!page.querySelector('.web-building') && !uploading()) {
        location.reload();
        return;
      }
      const now = page.querySelectorAll('.web-building');
      for (const [index, box] of document.querySelectorAll('.web-building').entries()) {
        if (!now[index] || now[index].textContent === box.textContent) continue;
        box.className = now[index].className;
        box.replaceChildren(...now[index].childNodes);
      }
    } catch {
      // The service may be restarting; the next look tells.
    }
    setTimeout(look, 4000);
  };
  setTimeout(look, 4000);
}
